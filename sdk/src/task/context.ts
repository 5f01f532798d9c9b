import { TaskCancelled } from '../errors.js';
import { textOf } from '../errors/base.js';
import type { Logger } from '../logger.js';
import type { TaskContext } from './context-types.js';
import type { AbortSignal } from '../runtime/platform-types.js';
import type { Stop } from '../runtime/stop.js';
import type { TaskReports, TaskState } from './reports.js';
import { checkProgress, checkStreamEvent, optionalText, type StreamEvent } from './stream-events.js';
import { taskLog } from './task-log.js';

/** What a task context is made of. */
export interface TaskContextParts {
  /** Id of the task. */
  readonly taskExecutionId: string;
  /** Name of the task. */
  readonly taskKind: string;
  /** 1 for the first attempt. */
  readonly attempt: number;
  /** What an earlier attempt said last of how far it was. */
  readonly heartbeatDetails: unknown;
  /** Fires when the attempt should stop. */
  readonly stop: Stop;
  /** Tells the server that the attempt is alive. */
  readonly heartbeat: (details?: unknown) => Promise<void>;
  /** What it tells the server while it runs. */
  readonly reports: TaskReports;
  /** What outlives it. */
  readonly state: TaskState;
  /** Where the task logs. */
  readonly logger: Logger;
}

/** The context of one attempt of a task. */
export class TaskContextImpl implements TaskContext {
  readonly taskExecutionId: string;
  readonly taskKind: string;
  readonly attempt: number;
  readonly heartbeatDetails: unknown;
  readonly log: Logger;
  readonly state: TaskState;
  readonly #reports: TaskReports;
  readonly #stop: Stop;
  readonly #heartbeat: (details?: unknown) => Promise<void>;

  constructor(parts: TaskContextParts) {
    const { taskExecutionId, taskKind, attempt, heartbeatDetails, stop, heartbeat } = parts;
    this.taskExecutionId = taskExecutionId;
    this.taskKind = taskKind;
    this.attempt = attempt;
    this.heartbeatDetails = heartbeatDetails;
    this.#stop = stop;
    this.log = taskLog(`task ${taskKind} ${taskExecutionId}: `, parts.logger, parts.reports);
    this.state = parts.state;
    this.#reports = parts.reports;
    this.#heartbeat = heartbeat;
  }

  get idempotencyKey(): string {
    return this.taskExecutionId;
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  get isCancelled(): boolean {
    return this.#stop.reason !== undefined;
  }

  heartbeat(details?: unknown): Promise<void> {
    return this.#heartbeat(details);
  }

  checkCancellation(): void {
    if (this.isCancelled) throw this.cancellationError();
  }

  cancellationError(): TaskCancelled {
    const { reason } = this.#stop;
    if (reason instanceof TaskCancelled) return reason;
    return new TaskCancelled(this.taskExecutionId, reason && textOf(reason));
  }

  // oxlint-disable-next-line typescript/require-await -- what cannot be meant rejects
  async reportProgress(progress: number, details?: string): Promise<void> {
    checkProgress(progress);
    optionalText('ctx.reportProgress, details', details);
    this.#reports.progress(progress, details);
  }

  async stream(event: StreamEvent): Promise<void> {
    checkStreamEvent(event);
    await this.#reports.stream(event);
  }

  streamToken(text: string): Promise<void> {
    return this.stream({ type: 'token', text });
  }

  streamProgress(progress: number, details?: string): Promise<void> {
    return this.stream({ type: 'progress', progress, details });
  }

  streamData(data: unknown): Promise<void> {
    return this.stream({ type: 'data', data });
  }

  streamError(message: string, code?: string): Promise<void> {
    return this.stream({ type: 'error', message, code });
  }
}
