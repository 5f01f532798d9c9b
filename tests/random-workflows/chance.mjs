/**
 * Where all randomness of a run comes from: small numbers drawn one after the other, and kept. A run is repeated from
 * what it drew, and made smaller by making the numbers fewer and smaller: 0 always stands for the simplest choice, and
 * it is what is drawn when the kept numbers are used up.
 */
export class Chance {
  /** What was drawn so far. */
  drawn = [];
  #next;

  /** @param {number | number[]} source a seed, or the numbers to draw again */
  constructor(source) {
    this.#next = Array.isArray(source) ? again(source) : random(source);
  }

  /** A whole number from 0 up, less than `count`. */
  draw(count) {
    const number = this.#next(count);
    this.drawn.push(number);
    return number;
  }

  /** A number from `from` to `to`, both possible. */
  between(from, to) {
    return from + this.draw(to - from + 1);
  }

  /** True once in `times`. */
  once(times) {
    return this.draw(times) === times - 1;
  }

  pick(list) {
    return list[this.draw(list.length)];
  }

  /** One of the values of `[weight, value]` pairs; the simplest must be the first. */
  weighted(pairs) {
    let left = this.draw(pairs.reduce((sum, [weight]) => sum + weight, 0));
    for (const [weight, value] of pairs) {
      if (left < weight) return value;
      left -= weight;
    }
    throw new Error('nothing to choose from');
  }
}

/** Numbers in [0, 1) from a seed, the same in every run. */
export function fractions(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function random(seed) {
  const fraction = fractions(seed);
  return (count) => Math.floor(fraction() * count);
}

function again(numbers) {
  let at = 0;
  return (count) => {
    const number = numbers[at] ?? 0;
    at += 1;
    return Math.min(number, count - 1);
  };
}
