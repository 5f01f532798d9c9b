import { ConfigurationError, TaskCancelled } from '../errors.js';
import { textOf } from '../errors/base.js';
import type { Logger } from '../logger.js';
import { comingLater } from '../options.js';
import type { TaskContext } from './context-types.js';
import type { AbortSignal } from '../runtime/platform-types.js';
import type { Stop } from '../runtime/stop.js';

/** What a task context is made of. */
export interface TaskContextParts {
  readonly taskExecutionId: string;
  readonly taskKind: string;
  /** 1 for the first attempt. */
  readonly attempt: number;
  /** What an earlier attempt said last of how far it was. */
  readonly heartbeatDetails: unknown;
  /** Fires when the attempt should stop. */
  readonly stop: Stop;
  /** Tells the server that the attempt is alive. */
  readonly heartbeat: (details?: unknown) => Promise<void>;
  readonly logger: Logger;
}

const STREAMS = 'streamed task data';

/** The context of one attempt of a task. */
export class TaskContextImpl implements TaskContext {
  readonly taskExecutionId: string;
  readonly taskKind: string;
  readonly attempt: number;
  readonly heartbeatDetails: unknown;
  readonly log: Logger;
  readonly #stop: Stop;
  readonly #heartbeat: (details?: unknown) => Promise<void>;

  constructor(parts: TaskContextParts) {
    const { taskExecutionId, taskKind, attempt, heartbeatDetails, stop, heartbeat, logger } = parts;
    this.taskExecutionId = taskExecutionId;
    this.taskKind = taskKind;
    this.attempt = attempt;
    this.heartbeatDetails = heartbeatDetails;
    this.#stop = stop;
    this.log = prefixed(`task ${taskKind} ${taskExecutionId}: `, logger);
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

  reportProgress(progress: number): never {
    if (!(progress >= 0 && progress <= 1)) throw new ConfigurationError('Progress must be between 0 and 1');
    throw comingLater('ctx.reportProgress', 'task progress');
  }

  stream(): never {
    throw comingLater('ctx.stream', STREAMS);
  }

  streamToken(): never {
    throw comingLater('ctx.streamToken', STREAMS);
  }

  streamProgress(): never {
    throw comingLater('ctx.streamProgress', STREAMS);
  }

  streamData(): never {
    throw comingLater('ctx.streamData', STREAMS);
  }

  streamError(): never {
    throw comingLater('ctx.streamError', STREAMS);
  }
}

function prefixed(prefix: string, logger: Logger): Logger {
  return {
    debug: (message, ...args) => logger.debug(prefix + message, ...args),
    info: (message, ...args) => logger.info(prefix + message, ...args),
    warn: (message, ...args) => logger.warn(prefix + message, ...args),
    error: (message, ...args) => logger.error(prefix + message, ...args),
  };
}
