import { ConfigurationError } from '../../errors.js';
import { checkOptions, optionalMs } from '../../options.js';
import type { MockOptions, TrackedTask } from './types.js';

/** What something that is mocked comes to. */
export type MockedResult = {
  /** How long it takes. */
  readonly afterMs: number;
} & ({ readonly value: unknown } | { readonly thrown: Error });

/** The results that a test has given for things of one type: a queue for each name. */
export class MockedResults {
  readonly #byName = new Map<string, MockedResult[]>();
  readonly #lastStays: boolean;

  /** With `lastStays` the last one of a queue is for all that come after it. */
  constructor(lastStays: boolean) {
    this.#lastStays = lastStays;
  }

  add(name: string, result: MockedResult): void {
    const queue = this.#byName.get(name);
    if (queue === undefined) this.#byName.set(name, [result]);
    else queue.push(result);
  }

  /** Whether `take` would give one. */
  has(name: string): boolean {
    return (this.#byName.get(name)?.length ?? 0) > 0;
  }

  take(name: string): MockedResult | undefined {
    const queue = this.#byName.get(name) ?? [];
    return this.#lastStays && queue.length === 1 ? queue[0] : queue.shift();
  }
}

/** What a test gave as a result: an error stands for a failure. `what` names the call that gave it. */
export function mockedResult(what: string, result: unknown, options: MockOptions = {}): MockedResult {
  const afterMs = mockedAfterMs(what, options);
  return result instanceof Error ? { afterMs, thrown: result } : { afterMs, value: result };
}

/** How long something that is mocked takes, in milliseconds. */
export function mockedAfterMs(what: string, options: MockOptions): number {
  checkOptions(what, options, ['after']);
  const afterMs = optionalMs(`${what}, after`, options.after) ?? 0;
  if (afterMs < 0)
    throw new ConfigurationError(`${what}: after must be no negative time, got ${options.after}`);
  return afterMs;
}

/** Hears what becomes of a promise of the context, before the code does that awaits it. */
export function track<T>(
  promise: Promise<T>,
  resolved: (value: T) => void,
  rejected: (error: Error) => void,
): void {
  promise.then(resolved, (error: unknown) => rejected(error as Error));
}

/** Notes with what is tracked how a handle of the context ends. */
export function trackEnd<T>(handle: Promise<T>, tracked: Writable<Ended>): void {
  track(
    handle,
    (value) => void (tracked.result = value),
    (error) => void (tracked.error = error),
  );
}

type Ended = Pick<TrackedTask, 'result' | 'error'>;

/** What is tracked, while it is being written. */
export type Writable<T> = { -readonly [Name in keyof T]: T[Name] };
