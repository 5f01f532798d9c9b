import { decodeEvents } from '../../core.js';
import type { CancellablePromise, PromiseOptions } from '../../workflow/handle-types.js';
import type { MockEngine } from './engine.js';
import { type MockedResult, MockedResults, track, type Writable } from './results.js';
import type { TrackedPromise } from './types.js';
import { serializer } from '../replay/rerun.js';
import type { VirtualClock } from '../virtual-clock.js';

/** A promise that may still have to be settled. The `index`-th that the execution made. */
interface Open {
  readonly index: number;
  readonly tracked: TrackedPromise;
}

/** The promises of an execution, and how a test has them settled. */
export class MockPromises {
  readonly settlements = new MockedResults(true);
  readonly tracked: Writable<TrackedPromise>[] = [];
  readonly #clock: VirtualClock;
  readonly #open = new Set<Open>();
  /** In the order of their making, as far as the history was read. */
  readonly #ids: string[] = [];
  #readUntil = 0;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  /** Makes a promise, by the context. */
  make<T>(
    name: string,
    options: PromiseOptions | undefined,
    make: () => CancellablePromise<T>,
  ): CancellablePromise<T> {
    const promise = make();
    const tracked: Writable<TrackedPromise> = {
      name,
      options,
      resolved: false,
      value: undefined,
      error: undefined,
    };
    const open = { index: this.tracked.push(tracked) - 1, tracked };
    this.#open.add(open);
    const settled = (how: Partial<TrackedPromise>): void => {
      this.#open.delete(open);
      Object.assign(tracked, how);
    };
    track(
      promise,
      (value) => settled({ resolved: true, value }),
      (error) => settled({ error }),
    );
    return promise;
  }

  /** Whether a promise of this name was made that has a timeout. */
  isTimed(promiseName: string): boolean {
    return this.tracked.some(({ name, options }) => name === promiseName && options?.timeout !== undefined);
  }

  /** Settles what there is a settlement for. */
  settle(engine: MockEngine, executionId: string): void {
    for (const open of this.#open) {
      const settlement = this.settlements.take(open.tracked.name);
      if (settlement === undefined) continue;
      this.#open.delete(open);
      const id = this.#idOf(engine, executionId, open.index);
      if (settlement.afterMs === 0) settle(engine, id, settlement);
      else this.#clock.schedule(settlement.afterMs, () => settle(engine, id, settlement));
    }
  }

  /** Names are no use here: several promises may have the same. */
  #idOf(engine: MockEngine, executionId: string, index: number): string {
    for (let hasMore = true; hasMore && this.#ids.length <= index; ) {
      const page = decodeEvents(engine.getEvents(executionId, this.#readUntil));
      for (const { sequence, eventType, data } of page.events) {
        this.#readUntil = sequence;
        if (eventType === 'PROMISE_CREATED')
          this.#ids.push((JSON.parse(data) as { promiseId: string }).promiseId);
      }
      ({ hasMore } = page);
    }
    const id = this.#ids[index];
    if (id === undefined) throw new Error(`promise ${index} of the mock is not in the history`);
    return id;
  }
}

/** A promise that has timed out stays as it is. */
function settle(engine: MockEngine, id: string, settlement: MockedResult): void {
  if ('thrown' in settlement) engine.rejectPromise(id, settlement.thrown.message);
  else engine.resolvePromise(id, serializer.serialize(settlement.value));
}
