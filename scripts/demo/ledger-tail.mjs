import { existsSync, readFileSync } from 'node:fs';

const LOOK_EVERY_MS = 5;

/** Follows the ledger file that the tasks append to: gives each line to `onLine`, once, as it appears. */
export class LedgerTail {
  lines = [];
  #file;
  #onLine;
  #timer;

  constructor(file, onLine) {
    this.#file = file;
    this.#onLine = onLine;
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS);
  }

  /** The first line of this step of this order that says its effect took place, as soon as there is one. */
  async effect(step, orderId) {
    for (;;) {
      const found = this.lines.find(
        (line) => line.type === 'effect' && line.step === step && line.orderId === orderId,
      );
      if (found) return found;
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  }

  close() {
    clearInterval(this.#timer);
    this.#look();
  }

  #look() {
    if (!existsSync(this.#file)) return;
    const complete = readFileSync(this.#file, 'utf8').split('\n').slice(0, -1);
    for (const text of complete.slice(this.lines.length)) {
      const line = JSON.parse(text);
      this.lines.push(line);
      this.#onLine(line);
    }
  }
}
