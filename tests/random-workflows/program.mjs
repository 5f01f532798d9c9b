/**
 * Workflows as data. A program is a set of named blocks; `main` is the workflow, the others are its children
 * and the handler of a signal. A block is a list of statements, a statement may hold blocks and expressions, and an expression is something that can be awaited.
 *
 * The order of the choices matters: the first is the simplest, since failing programs are made smaller by drawing lower
 * numbers.
 */
const KINDS = ['a', 'b', 'c'];
export const KEYS = ['k', 'l'];
const OPERATIONS = ['x', 'y'];
const PROMISES = ['p', 'q'];
export const SIGNALS = ['s', 'r'];
/** The signal that a handler gets. */
export const HANDLED = 'h';
export const HANDLER = 'handler';
const PATCHES = ['one', 'two'];
const CHILDREN = ['child1', 'child2'];
const TIMES_MS = [10, 0, 1000, 3000];
const DEPTH_MAX = 3;
const STATEMENTS_MAX = 14;
const CHILD_STATEMENTS_MAX = 4;
const HANDLER_STATEMENTS_MAX = 3;

/** @param {import('./chance.mjs').Chance} chance */
export function randomProgram(chance) {
  const program = { main: new Maker(chance, STATEMENTS_MAX, CHILDREN).block(0) };
  const text = JSON.stringify(program);
  for (const name of CHILDREN) {
    if (text.includes(name)) program[name] = new Maker(chance, CHILD_STATEMENTS_MAX, []).block(1);
  }
  program[HANDLER] = new Maker(chance, HANDLER_STATEMENTS_MAX, []).block(1);
  return program;
}

class Maker {
  #chance;
  #left;
  #children;

  constructor(chance, statementsMax, children) {
    this.#chance = chance;
    this.#left = statementsMax;
    this.#children = children;
  }

  block(depth) {
    const wanted = depth === 0 ? this.#chance.between(1, 6) : this.#chance.draw(3);
    const block = [];
    while (block.length < wanted && this.#left > 0) block.push(this.#statement(depth));
    return block;
  }

  #statement(depth) {
    this.#left -= 1;
    const plain = [
      [34, () => ({ do: 'await', of: this.#expression(depth) })],
      [18, () => ({ do: 'start', of: this.#expression(depth) })],
      [6, () => ({ do: 'set', key: this.#chance.pick(KEYS) })],
      [3, () => ({ do: 'clear', key: this.#chance.pick(KEYS) })],
      [2, () => ({ do: 'clearAll' })],
      [22, () => this.#read()],
      [16, () => ({ do: 'cancel', started: this.#chance.draw(4) })],
      [3, () => ({ do: 'throw' })],
      [3, () => ({ do: 'return' })],
    ];
    const nested = [
      [
        8,
        () => ({
          do: 'if',
          when: this.#condition(),
          then: this.block(depth + 1),
          else: this.block(depth + 1),
        }),
      ],
      [4, () => ({ do: 'loop', times: this.#chance.between(2, 3), body: this.block(depth + 1) })],
      [8, () => this.#try(depth)],
    ];
    return this.#chance.weighted(depth < DEPTH_MAX ? [...plain, ...nested] : plain)();
  }

  #try(depth) {
    const [body, caught, last] = [this.block(depth + 1), this.block(depth + 1), this.block(depth + 1)];
    return { do: 'try', body, catch: caught, finally: last };
  }

  #read() {
    return this.#chance.pick([
      { do: 'get', key: this.#chance.pick(KEYS) },
      { do: 'stateKeys' },
      { do: 'currentTime' },
      { do: 'random' },
      { do: 'randomUUID' },
      { do: 'hasSignal', signal: this.#chance.pick(SIGNALS) },
      { do: 'pendingSignalCount', signal: this.#chance.pick(SIGNALS) },
      { do: 'drainSignals', signal: this.#chance.pick(SIGNALS) },
      { do: 'patched', patch: this.#chance.pick(PATCHES) },
      { do: 'isCancellationRequested' },
      { do: 'checkCancellation' },
    ]);
  }

  #condition() {
    return this.#chance.pick([
      { is: 'odd' },
      { is: 'set', key: this.#chance.pick(KEYS) },
      { is: 'signal', signal: this.#chance.pick(SIGNALS) },
      { is: 'patched', patch: this.#chance.pick(PATCHES) },
    ]);
  }

  #expression(depth) {
    const leaves = [
      [12, () => ({ task: this.#chance.pick(KINDS) })],
      [7, () => ({ sleep: this.#chance.pick(TIMES_MS) })],
      [6, () => this.#promise()],
      [10, () => ({ run: this.#chance.pick(OPERATIONS) })],
      [9, () => ({ signal: this.#chance.pick(SIGNALS) })],
      [5, () => ({ started: this.#chance.draw(4) })],
    ];
    if (this.#children.length > 0) leaves.push([5, () => this.#child()]);
    const inner = depth + 1;
    const nested = [
      [4, () => ({ branch: this.block(inner) })],
      ...['all', 'race', 'any', 'allSettled'].map((name) => [4, () => ({ [name]: this.#several(inner) })]),
      [4, () => ({ scope: this.block(inner), timeoutMs: this.#chance.pick([0, 0, 10, 1000]) })],
      [3, () => ({ nonCancellable: this.block(inner) })],
      [4, () => ({ withTimeout: this.#expression(inner), timeoutMs: this.#chance.pick([10, 1000]) })],
    ];
    return this.#chance.weighted(depth < DEPTH_MAX ? [...leaves, ...nested] : leaves)();
  }

  #promise() {
    const promise = { promise: this.#chance.pick(PROMISES) };
    return this.#chance.once(4) ? { ...promise, timeoutMs: this.#chance.pick([1000, 5000]) } : promise;
  }

  #child() {
    const child = { child: this.#chance.pick(this.#children) };
    return this.#chance.once(4) ? { ...child, name: this.#chance.pick(['n', 'program-2']) } : child;
  }

  #several(depth) {
    return Array.from({ length: this.#chance.between(2, 3) }, () => this.#expression(depth));
  }
}
