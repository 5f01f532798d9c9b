import type { AbortSignal } from '../runtime/platform-types.js';
import type { StreamEvent } from '../task/stream-events.js';

/** A stream event of a task, as those see it who watch: `switch (event.type)` tells which it is. */
export type WorkflowStreamEvent = StreamEvent & {
  /** Its number in the stream, which rises, with gaps: what `afterSequence` takes. */
  readonly sequence: number;
  /** Id of the task that streamed it. */
  readonly taskExecutionId: string;
  /** When the task gave it. */
  readonly timestamp: Date;
};

/** How a stream is read. */
export interface StreamOptions {
  /** Begins after the event with this number, to go on where an earlier reader stopped. Default: 0, the first one. */
  readonly afterSequence?: number | undefined;
  /** Ends the reading when it fires: the loop throws the signal's reason then. */
  readonly signal?: AbortSignal | undefined;
}
