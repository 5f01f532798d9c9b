import type { CancellablePromise, OperationFunction } from '../../workflow/handle-types.js';
import { MockedResults, type Writable } from './results.js';
import type { TrackedOperation } from './types.js';

/** The operations of an execution: they are run, unless a test has given results. */
export class MockOperations {
  readonly results = new MockedResults(true);
  readonly tracked: Writable<TrackedOperation>[] = [];

  /** Begins an operation, by the context. */
  begin<T>(
    name: string,
    fn: OperationFunction<T>,
    begin: (fn: OperationFunction<T>) => CancellablePromise<T>,
  ): CancellablePromise<T> {
    const tracked: Writable<TrackedOperation> = { name, result: undefined };
    const promise = begin(typeof fn === 'function' ? this.#tracking(tracked, fn) : fn);
    this.tracked.push(tracked);
    return promise;
  }

  #tracking<T>(tracked: Writable<TrackedOperation>, fn: OperationFunction<T>): OperationFunction<T> {
    return async (signal) => {
      try {
        const result = await this.#call(tracked.name, fn, signal);
        delete tracked.error;
        tracked.result = result;
        return result;
      } catch (error) {
        tracked.error = error;
        throw error;
      }
    };
  }

  async #call<T>(name: string, fn: OperationFunction<T>, signal: Parameters<typeof fn>[0]): Promise<T> {
    const mocked = this.results.take(name);
    if (mocked === undefined) return fn(signal);
    if ('thrown' in mocked) throw mocked.thrown;
    return mocked.value as T;
  }
}
