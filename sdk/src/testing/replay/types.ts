import type { DeterminismViolation } from '../../errors.js';
import type { Serializer } from '../../serde.js';

/** A command of workflow code: its type, such as `SCHEDULE_TASK`, and the fields of the contract in camel case. */
export interface ReplayedCommand {
  /** Its type, such as `SCHEDULE_TASK`. */
  readonly type: string;
  /** Its fields, which depend on the type. */
  readonly [field: string]: unknown;
}

/** Options of `replayHistory`. */
export interface ReplayHistoryOptions {
  /**
   * Id of the execution, which the random numbers and ids of workflow code are derived from. Default: that of the history;
   * without one, a workflow that uses them is refused.
   */
  readonly workflowExecutionId?: string | undefined;
  /**
   * Whether the history was written by another SDK: events at its end that no command stands for are passed over then,
   * ids of timers are not compared, and missing records of the time are no violation. Default: false.
   */
  readonly tolerant?: boolean | undefined;
  /** What the client and the workers of the execution were given as `serializer`. Default: a `JsonSerializer`. */
  readonly serializer?: Serializer | undefined;
}

/** Options of `checkEveryPrefix`. */
export interface CheckEveryPrefixOptions {
  /** As of `replayHistory`. */
  readonly workflowExecutionId?: string | undefined;
  /** As of `replayHistory`. */
  readonly serializer?: Serializer | undefined;
}

/** What is known of every replay. */
export interface Replay {
  /**
   * What the code asked for, in order: commands that the history has, and those beyond it. Operations are there with
   * their record.
   */
  readonly commands: readonly ReplayedCommand[];
  /** Names of operations that were begun and that the history does not have. They were not run. */
  readonly operations: readonly string[];
}

/** How a replay ended. */
export type ReplayResult<Output = unknown> =
  | (Replay & { readonly status: 'completed'; readonly result: Output })
  | (Replay & { readonly status: 'failed'; readonly error: unknown })
  | (Replay & { readonly status: 'cancelled'; readonly reason: string })
  /** The history ends before the execution does. */
  | (Replay & { readonly status: 'waiting' })
  /** Code and history disagree. */
  | (Replay & { readonly status: 'violation'; readonly violation: DeterminismViolation });
