import { TaskCancelled } from '../../errors.js';
import { silentLogger } from '../../logger.js';
import { Stop } from '../../runtime/stop.js';
import { deserialize, serialize } from '../../serde.js';
import { TaskContextImpl } from '../../task/context.js';
import type { TaskReports, TaskState } from '../../task/reports.js';
import type { StreamEvent, StreamEventType } from '../../task/stream-events.js';

/** A stream event that a task gave. */
export interface TrackedStreamEvent {
  /** What it is of. */
  readonly type: StreamEventType;
  /** The text of a token, the number of a progress, the data, or the message of an error. */
  readonly value: unknown;
  /** The details of a progress, if it has any. */
  readonly details?: string | undefined;
  /** The code of an error, if it has one. */
  readonly code?: string | undefined;
  /** When it was given. */
  readonly timestamp: Date;
}

/**
 * A context to call the function of a task with in a test: the one that workers give it, which remembers what it is told
 * instead of sending it to a server.
 *
 * ```ts
 * const ctx = new MockTaskContext();
 * await sendMail.run(ctx, { id: 'mail-1' });
 * assert.deepEqual(ctx.streamEvents, []);
 * ```
 */
export class MockTaskContext extends TaskContextImpl {
  /** The stream events so far. */
  readonly streamEvents: readonly TrackedStreamEvent[];
  /** What progress was reported so far, each from 0 to 1. */
  readonly progressUpdates: readonly number[];
  /** When heartbeats were given. */
  readonly heartbeats: readonly Date[];
  readonly #stop: Stop;

  /** The first attempt of a task, unless told otherwise. */
  constructor(
    taskExecutionId: string = 'mock-task-123',
    taskKind: string = 'mock-task',
    attempt: number = 1,
  ) {
    const stop = new Stop();
    const [events, updates, beats] = [[] as TrackedStreamEvent[], [] as number[], [] as Date[]];
    const heartbeat = async (): Promise<void> => void beats.push(new Date());
    const reports: TaskReports = {
      progress: (progress) => void updates.push(progress),
      stream: async (event) => void events.push(tracked(event)),
      log: () => {},
    };
    super({
      taskExecutionId,
      taskKind,
      attempt,
      heartbeatDetails: undefined,
      stop,
      heartbeat,
      reports,
      state: stateInMemory(),
      logger: silentLogger,
    });
    this.#stop = stop;
    [this.streamEvents, this.progressUpdates, this.heartbeats] = [events, updates, beats];
  }

  /** Cancels the task: its signal fires, and `checkCancellation` throws. */
  markCancelled(): void {
    this.#stop.fire(new TaskCancelled(this.taskExecutionId));
  }

  /** How many heartbeats were given. */
  get heartbeatCount(): number {
    return this.heartbeats.length;
  }

  /** The progress that was reported last; 0 before. */
  get progress(): number {
    return this.progressUpdates.at(-1) ?? 0;
  }

  /** The texts of the tokens that were streamed. */
  get streamedTokens(): string[] {
    return this.#streamed('token') as string[];
  }

  /** The progress that was streamed. */
  get streamedProgress(): number[] {
    return this.#streamed('progress') as number[];
  }

  /** The data that was streamed. */
  get streamedData(): unknown[] {
    return this.#streamed('data');
  }

  /** The messages of the errors that were streamed. */
  get streamedErrors(): string[] {
    return this.#streamed('error') as string[];
  }

  #streamed(type: StreamEventType): unknown[] {
    return this.streamEvents.filter((event) => event.type === type).map(({ value }) => value);
  }
}

function tracked(event: StreamEvent): TrackedStreamEvent {
  const timestamp = new Date();
  switch (event.type) {
    case 'token':
      return { type: 'token', value: event.text, timestamp };
    case 'progress':
      return { type: 'progress', value: event.progress, details: event.details, timestamp };
    case 'data':
      // As those who watch get it: what cannot be sent is refused.
      return { type: 'data', value: deserialize(serialize(event.data)), timestamp };
    case 'error':
      return { type: 'error', value: event.message, code: event.code, timestamp };
  }
}

function stateInMemory(): TaskState {
  const payloads = new Map<string, string>();
  return {
    get: async <T>(key: string) => deserialize<T | null>(payloads.get(key) ?? 'null'),
    set: async (key, value) => void payloads.set(key, serialize(value)),
    clear: async (key) => void payloads.delete(key),
    clearAll: async () => payloads.clear(),
    keys: async () => [...payloads.keys()].sort(),
  };
}
