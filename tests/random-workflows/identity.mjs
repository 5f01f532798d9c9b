import { createHash } from 'node:crypto';

/** What follows from the id of an execution alone. */
export class Identity {
  #executionId;
  #ids = 0;
  #state;

  constructor(executionId) {
    this.#executionId = executionId;
  }

  /** UUID v5 of the counter, in the namespace of the execution. */
  nextId() {
    const namespace = Buffer.from(this.#hex, 'hex');
    const name = `${this.#executionId}:${this.#ids}`;
    this.#ids += 1;
    const hash = createHash('sha1').update(namespace).update(name).digest();
    hash[6] = (hash[6] & 0x0f) | 0x50;
    hash[8] = (hash[8] & 0x3f) | 0x80;
    return hash.toString('hex', 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  }

  /** The next number of its xorshift64. */
  nextRandom() {
    this.#state ??= BigInt(`0x${this.#hex.slice(16)}`) || 1n;
    const mask = (1n << 64n) - 1n;
    let state = this.#state;
    state ^= (state << 13n) & mask;
    state ^= state >> 7n;
    state ^= (state << 17n) & mask;
    this.#state = state;
    const largest = 1 - 2 ** -53;
    return Math.min(largest, Number(state) / 2 ** 64);
  }

  get #hex() {
    return this.#executionId.replaceAll('-', '');
  }
}
