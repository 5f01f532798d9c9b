import type { Clock } from '../runtime/clock.js';

/** What an outbox is made of. */
export interface OutboxParts<Item> {
  /** Sends a batch, in the order in which it was put in; whether anything of it arrived. Must not reject. */
  readonly send: (batch: Item[]) => Promise<boolean>;
  /** Is told how many items were dropped, since they came faster than they could be sent. */
  readonly dropped: (count: number) => void;
  /** How large an item is, in characters. */
  readonly sizeOf: (item: Item) => number;
  /** Whether an item takes the place of one that still waits. Default: false. */
  readonly onlyNewest?: boolean | undefined;
  readonly clock: Clock;
}

/** From one batch to the next. */
const WINDOW_MS = 50;
const BATCH_ITEMS = 100;
const BATCH_SIZE = 256 * 1024;
const MOST_ITEMS = 1_000;
const MOST_SIZE = 1024 * 1024;
/** Who waits for room waits no longer: sending is best effort, and what makes the items is not to be held up by it. */
const LONGEST_WAIT_MS = 1_000;

/**
 * Sends items in the background, one batch at a time. The first goes out at once, others wait for a short time so that
 * a call carries many. What is too much is dropped: the newest, so that those who read have everything up to the gap.
 * Who makes items without a pause should wait for `room` after each.
 */
export class Outbox<Item> {
  readonly #parts: OutboxParts<Item>;
  readonly #items: Item[] = [];
  #size = 0;
  #pump: Promise<void> | undefined;
  #isFlushing = false;
  #isClosed = false;
  #endWindow = (): void => {};
  readonly #waiting = new Set<() => void>();
  /** Nothing arrives, so that waiting for room is in vain. */
  #isStuck = false;

  constructor(parts: OutboxParts<Item>) {
    this.#parts = parts;
  }

  push(item: Item): void {
    if (this.#isClosed) return;
    if (this.#parts.onlyNewest === true) this.#take(this.#items.length);
    const size = this.#parts.sizeOf(item);
    // An item that is too large by itself is for the server to refuse, with the reason.
    const isFull = this.#items.length >= MOST_ITEMS || this.#size + size > MOST_SIZE;
    if (isFull && this.#items.length > 0) return this.#parts.dropped(1);
    this.#items.push(item);
    this.#size += size;
    if (this.#isBatchFull) this.#endWindow();
    this.#pump ??= this.#run();
  }

  /** Resolves when there is room for more: at once, unless much waits and is on its way. */
  async room(): Promise<void> {
    const isCrowded = this.#items.length >= MOST_ITEMS / 2 || this.#size >= MOST_SIZE / 2;
    if (!isCrowded || this.#isStuck || this.#isClosed) return;
    await new Promise<void>((resolve) => {
      const stop = this.#parts.clock.schedule(LONGEST_WAIT_MS, () => {
        this.#isStuck = true;
        this.#makeRoom();
      });
      this.#waiting.add(() => {
        stop();
        resolve();
      });
    });
  }

  /** Resolves when everything is sent, or has come to nothing. */
  async flush(): Promise<void> {
    this.#isFlushing = true;
    this.#endWindow();
    await this.#pump;
    this.#isFlushing = false;
  }

  /** Sends nothing more. Gives how many items are left. */
  close(): number {
    this.#isClosed = true;
    this.#endWindow();
    this.#makeRoom();
    return this.#take(this.#items.length).length;
  }

  async #run(): Promise<void> {
    // What is put in without a pause goes out together.
    await Promise.resolve();
    while (this.#items.length > 0) {
      const startedMs = this.#parts.clock.nowMs();
      this.#isStuck = !(await this.#parts.send(this.#take(this.#batchLength())));
      this.#makeRoom();
      await this.#window(startedMs + WINDOW_MS - this.#parts.clock.nowMs());
    }
    this.#pump = undefined;
  }

  #makeRoom(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  async #window(delayMs: number): Promise<void> {
    if (delayMs <= 0 || this.#isFlushing || this.#isClosed || this.#isBatchFull) return;
    await new Promise<void>((resolve) => {
      const stop = this.#parts.clock.schedule(delayMs, resolve);
      this.#endWindow = () => {
        stop();
        resolve();
      };
    });
  }

  get #isBatchFull(): boolean {
    return this.#items.length >= BATCH_ITEMS || this.#size >= BATCH_SIZE;
  }

  #batchLength(): number {
    let [length, size] = [0, 0];
    for (const item of this.#items) {
      size += this.#parts.sizeOf(item);
      if (length > 0 && (length >= BATCH_ITEMS || size > BATCH_SIZE)) break;
      length += 1;
    }
    return length;
  }

  #take(count: number): Item[] {
    const taken = this.#items.splice(0, count);
    this.#size = this.#items.length === 0 ? 0 : this.#size - this.#sizeOf(taken);
    return taken;
  }

  #sizeOf(items: readonly Item[]): number {
    return items.reduce((sum, item) => sum + this.#parts.sizeOf(item), 0);
  }
}
