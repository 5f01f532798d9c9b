import type { LogLevel } from '../logger.js';
import type { StreamEvent } from './stream-events.js';

/**
 * Values that belong to a task and not to one of its attempts: what an attempt has set, the next one finds. They are kept
 * on the server until the task ends. Every call goes to the server; it rejects with a `ConnectionError` when that cannot
 * be reached, and with the reason of `ctx.signal` when the attempt has lost its claim.
 */
export interface TaskState {
  /** The value under a key, as it was set; null if there is none. Its type is taken on trust. */
  get<T = unknown>(key: string): Promise<T | null>;
  /** Sets a value, which is written as payloads are; resolves when the server has it. */
  set(key: string, value: unknown): Promise<void>;
  /** Removes a key. */
  clear(key: string): Promise<void>;
  /** Removes all keys. */
  clearAll(): Promise<void>;
  /** The keys that are set, in alphabetical order. */
  keys(): Promise<string[]>;
}

/** A level that something can be logged at. */
export type ReportedLevel = Exclude<LogLevel, 'silent'>;

/**
 * What an attempt tells the server while it runs. It goes out in the background, in order, and a server that cannot be
 * reached loses it: nothing of it can fail the attempt.
 */
export interface TaskReports {
  /** How far the attempt is, from 0 to 1. Only the newest of several counts. */
  progress(progress: number, details: string | undefined): void;
  /**
   * An event for those who watch the task. Resolves when there is room for more; rejects with a `SerializationError` for
   * data that cannot be sent.
   */
  stream(event: StreamEvent): Promise<void>;
  /** A line of the task's log, with what else was given to the logger. */
  log(level: ReportedLevel, message: string, args: readonly unknown[]): void;
}
