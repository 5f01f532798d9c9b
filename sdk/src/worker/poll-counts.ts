import type { PollMetrics } from './metrics.js';

/** How work came to one of the two workers. */
export class PollCounts {
  withWork = 0;
  empty = 0;
  failed = 0;
  chained = 0;
  givenBack = 0;

  /** What was counted, and how many polls wait now. */
  values(waiting: number): PollMetrics {
    const { withWork, empty, failed, chained, givenBack } = this;
    return { withWork, empty, failed, chained, givenBack, waiting };
  }
}
