import { runOnce } from './seed.mjs';

const RUNS_MAX = 3_000;

/**
 * Makes a run that fails smaller, as long as it still fails in the same way: fewer and lower numbers drawn are a shorter
 * program and fewer things that happen to it.
 *
 * @param {Awaited<ReturnType<typeof runOnce>>} failed
 * @returns {Promise<Awaited<ReturnType<typeof runOnce>>>}
 */
export async function shrink(failed) {
  const shrinker = new Shrinker(failed);
  for (let before; before !== shrinker.smallest; ) {
    before = shrinker.smallest;
    for (const part of ['program', 'schedule']) {
      await shrinker.dropRuns(part);
      await shrinker.lower(part);
    }
  }
  return shrinker.smallest;
}

class Shrinker {
  smallest;
  #runs = 0;

  constructor(failed) {
    this.smallest = failed;
  }

  async dropRuns(part) {
    for (let length = this.#list(part).length; length >= 1; length = Math.floor(length / 2)) {
      for (let at = this.#list(part).length - length; at >= 0; ) {
        const list = this.#list(part);
        await this.#try(part, list.toSpliced(at, length));
        at = Math.min(at - length, this.#list(part).length - length);
      }
    }
  }

  async lower(part) {
    for (let at = 0; at < this.#list(part).length; at += 1) {
      for (const less of [0, this.#list(part)[at] >> 1, this.#list(part)[at] - 1]) {
        const list = this.#list(part);
        if (less >= 0 && less < list[at] && (await this.#try(part, list.with(at, less)))) break;
      }
    }
  }

  #list(part) {
    return this.smallest.drawn[part];
  }

  async #try(part, list) {
    if (this.#runs >= RUNS_MAX) return false;
    this.#runs += 1;
    const run = await runOnce({ ...this.smallest.drawn, [part]: list });
    const isSame = run.failure !== undefined && run.failure.check === this.smallest.failure.check;
    if (!isSame || size(run) >= size(this.smallest)) return false;
    this.smallest = run;
    return true;
  }
}

/** Shorter first, then lower. */
function size({ drawn }) {
  const all = [...drawn.program, ...drawn.schedule];
  return all.length * 1_000_000 + all.reduce((sum, number) => sum + number, 0);
}
