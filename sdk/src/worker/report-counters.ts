import { textOf } from '../errors/base.js';
import type { Logger } from '../logger.js';

/** What became of what tasks told the server while they ran. */
export interface TaskReportMetrics {
  /** Events of `ctx.stream` and its relatives that the server has. */
  readonly streamEventsSent: number;
  /** Those that were lost: they came too fast, or the server could not be reached or did not take them. */
  readonly streamEventsDropped: number;
  /** Lines of `ctx.log` that the server has. */
  readonly logMessagesSent: number;
  /** Those that were lost. */
  readonly logMessagesDropped: number;
  /** Progress that was reported. */
  readonly progressReportsSent: number;
  /** Progress that was to be reported and was lost; what newer progress replaced does not count. */
  readonly progressReportsDropped: number;
}

/** What is counted apart. */
export type ReportKind = 'streamEvents' | 'logMessages' | 'progressReports';

const IN_WORDS: Readonly<Record<ReportKind, string>> = {
  streamEvents: 'stream events',
  logMessages: 'log messages',
  progressReports: 'progress reports',
};

/** Counts for all attempts of a worker. A loss is logged once for each time it begins. */
export class ReportCounters {
  readonly #logger: Logger;
  readonly #sent = { streamEvents: 0, logMessages: 0, progressReports: 0 };
  readonly #dropped = { streamEvents: 0, logMessages: 0, progressReports: 0 };
  /** What is being lost. */
  readonly #losing = new Set<ReportKind>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  sent(kind: ReportKind, count: number): void {
    this.#sent[kind] += count;
    this.#losing.delete(kind);
  }

  /** `why` is logged, if it is given, unless one was lost before and none was sent since. */
  dropped(kind: ReportKind, count: number, why?: unknown): void {
    if (count === 0) return;
    this.#dropped[kind] += count;
    if (why === undefined || this.#losing.has(kind)) return;
    this.#losing.add(kind);
    this.#logger.warn(`${IN_WORDS[kind]} of tasks are lost, which changes nothing else: ${textOf(why)}`);
  }

  get metrics(): TaskReportMetrics {
    return {
      streamEventsSent: this.#sent.streamEvents,
      streamEventsDropped: this.#dropped.streamEvents,
      logMessagesSent: this.#sent.logMessages,
      logMessagesDropped: this.#dropped.logMessages,
      progressReportsSent: this.#sent.progressReports,
      progressReportsDropped: this.#dropped.progressReports,
    };
  }
}
