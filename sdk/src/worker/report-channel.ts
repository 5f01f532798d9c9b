import { RpcError } from '../errors.js';
import { isClaimLost, isRefusal } from '../rpc/failures.js';
import type { Clock } from '../runtime/clock.js';
import { Outbox } from './outbox.js';
import type { ReportCounters, ReportKind } from './report-counters.js';

/** What a channel is made of. */
export interface ReportChannelParts<Item> {
  readonly kind: ReportKind;
  /** Sends some items by one call. */
  readonly send: (items: Item[]) => Promise<void>;
  /** Whether one call may carry several. */
  readonly inBatches: () => boolean;
  /** How large an item is, in characters. */
  readonly sizeOf: (item: Item) => number;
  /** Whether an item takes the place of one that still waits. Default: false. */
  readonly onlyNewest?: boolean | undefined;
  readonly counters: ReportCounters;
  readonly clock: Clock;
}

/** One kind of what an attempt tells the server while it runs. Best effort: it counts what it loses, and never rejects. */
export class ReportChannel<Item> {
  readonly #parts: ReportChannelParts<Item>;
  readonly #outbox: Outbox<Item>;
  #isClosed = false;

  constructor(parts: ReportChannelParts<Item>) {
    this.#parts = parts;
    const { sizeOf, onlyNewest, counters, kind, clock } = parts;
    this.#outbox = new Outbox({
      send: (batch) => this.#sendAll(batch),
      dropped: (count) => counters.dropped(kind, count, 'they came faster than they could be sent'),
      sizeOf,
      onlyNewest,
      clock,
    });
  }

  push(item: Item): void {
    if (this.#isClosed) this.#parts.counters.dropped(this.#parts.kind, 1);
    else this.#outbox.push(item);
  }

  /** Resolves when there is room for more, or soon. */
  room(): Promise<void> {
    return this.#outbox.room();
  }

  /** Resolves when everything is sent or lost. */
  flush(): Promise<void> {
    return this.#outbox.flush();
  }

  /** Sends nothing more; what is left is lost, which is logged if a reason is given. */
  close(why?: unknown): void {
    this.#isClosed = true;
    this.#parts.counters.dropped(this.#parts.kind, this.#outbox.close(), why);
  }

  /** Whether the server has some of them. */
  async #sendAll(batch: Item[]): Promise<boolean> {
    const units = this.#parts.inBatches() ? [batch] : batch.map((item) => [item]);
    let taken = 0;
    for (const unit of units) if (await this.#sendOne(unit)) taken += 1;
    return taken > 0;
  }

  /** Sends items one by one. If the server takes none of them, it is not about one of them, and nothing more is sent. */
  async #sendEach(items: readonly Item[]): Promise<boolean> {
    let taken = 0;
    for (const item of items) if (await this.#sendOne([item])) taken += 1;
    if (taken === 0) this.close();
    return taken > 0;
  }

  /** Whether the server has some of them. */
  async #sendOne(items: Item[]): Promise<boolean> {
    const { kind, counters, send } = this.#parts;
    if (this.#isClosed) {
      counters.dropped(kind, items.length);
      return false;
    }
    try {
      await send(items);
      counters.sent(kind, items.length);
      return true;
    } catch (error) {
      // One that the server does not take must not take others with it.
      if (isRefusal(error) && items.length > 1) return this.#sendEach(items);
      // Whoever has the task now tells its own story.
      const isStale = isClaimLost(error);
      counters.dropped(kind, items.length, isStale ? undefined : error);
      if (isStale || isUnknownCall(error)) this.close();
      return false;
    }
  }
}

/** A server that does not have the call will not get it during this attempt. */
function isUnknownCall(error: unknown): boolean {
  return error instanceof RpcError && error.code === 'UNIMPLEMENTED';
}
