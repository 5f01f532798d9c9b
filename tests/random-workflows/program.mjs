/**
 * Workflows as data. A program is a set of named blocks; `main` is the workflow, the others are its children. A block is
 * a list of statements, a statement may hold blocks and expressions, and an expression is something that can be awaited.
 *
 * The order of the choices matters: the first is the simplest, since failing programs are made smaller by drawing lower
 * numbers.
 */
const KINDS = ['a', 'b', 'c'];
const KEYS = ['k', 'l'];
const OPERATIONS = ['x', 'y'];
const PROMISES = ['p', 'q'];
const DEPTH_MAX = 3;
const STATEMENTS_MAX = 14;

/** @param {import('./chance.mjs').Chance} chance */
export function randomProgram(chance) {
  const maker = new Maker(chance);
  return { main: maker.block(0) };
}

class Maker {
  #chance;
  #statements = 0;

  constructor(chance) {
    this.#chance = chance;
  }

  block(depth) {
    const wanted = depth === 0 ? this.#chance.between(1, 6) : this.#chance.draw(3);
    const block = [];
    while (block.length < wanted && this.#statements < STATEMENTS_MAX) block.push(this.#statement(depth));
    return block;
  }

  #statement(depth) {
    this.#statements += 1;
    const plain = [
      [30, () => ({ do: 'await', of: this.#expression(depth) })],
      [12, () => ({ do: 'start', of: this.#expression(depth) })],
      [6, () => ({ do: 'set', key: this.#chance.pick(KEYS) })],
      [3, () => ({ do: 'clear', key: this.#chance.pick(KEYS) })],
      [2, () => ({ do: 'clearAll' })],
      [14, () => this.#read()],
      [3, () => ({ do: 'throw' })],
      [3, () => ({ do: 'return' })],
    ];
    const nested = [
      [
        6,
        () => ({
          do: 'if',
          when: this.#condition(),
          then: this.block(depth + 1),
          else: this.block(depth + 1),
        }),
      ],
      [4, () => ({ do: 'loop', times: this.#chance.between(2, 3), body: this.block(depth + 1) })],
      [7, () => this.#try(depth)],
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
    ]);
  }

  #condition() {
    return this.#chance.pick([{ is: 'odd' }, { is: 'set', key: this.#chance.pick(KEYS) }]);
  }

  #expression(depth) {
    const leaves = [
      [12, () => ({ task: this.#chance.pick(KINDS) })],
      [7, () => ({ sleep: this.#chance.pick([10, 0, 1000, 3000]) })],
      [7, () => this.#promise()],
      [10, () => ({ run: this.#chance.pick(OPERATIONS) })],
      [5, () => ({ started: this.#chance.draw(4) })],
    ];
    const nested = [
      [4, () => ({ branch: this.block(depth + 1) })],
      ...['all', 'race', 'any', 'allSettled'].map((name) => [
        4,
        () => ({ [name]: this.#several(depth + 1) }),
      ]),
    ];
    return this.#chance.weighted(depth < DEPTH_MAX ? [...leaves, ...nested] : leaves)();
  }

  #promise() {
    const promise = { promise: this.#chance.pick(PROMISES) };
    return this.#chance.once(4) ? { ...promise, timeoutMs: this.#chance.pick([1000, 5000]) } : promise;
  }

  #several(depth) {
    return Array.from({ length: this.#chance.between(2, 3) }, () => this.#expression(depth));
  }
}

/** A program as the code that a person would write for it. */
export function printProgram(program) {
  return Object.entries(program)
    .map(([name, block]) => `async function ${name}(ctx) {\n${printBlock(block, '  ')}}`)
    .join('\n');
}

function printBlock(block, indent) {
  return block.map((statement) => `${indent}${printStatement(statement, indent)}\n`).join('');
}

function printStatement(statement, indent) {
  const inner = (block) => `{\n${printBlock(block, `${indent}  `)}${indent}}`;
  switch (statement.do) {
    case 'await':
      return `last = await ${printExpression(statement.of, indent)};`;
    case 'start':
      return `started.push(${printExpression(statement.of, indent)});`;
    case 'set':
      return `ctx.set('${statement.key}', last);`;
    case 'clear':
      return `ctx.clear('${statement.key}');`;
    case 'get':
      return `last = ctx.get('${statement.key}');`;
    case 'if':
      return `if (${printCondition(statement.when)}) ${inner(statement.then)} else ${inner(statement.else)}`;
    case 'loop':
      return `for (let i = 0; i < ${statement.times}; i += 1) ${inner(statement.body)}`;
    case 'try':
      return `try ${inner(statement.body)} catch (error) ${inner(statement.catch)} finally ${inner(statement.finally)}`;
    case 'throw':
      return "throw new Error('thrown');";
    case 'return':
      return 'return last;';
    case 'clearAll':
      return 'ctx.clearAll();';
    default:
      return `last = ctx.${statement.do}();`;
  }
}

function printCondition(condition) {
  return condition.is === 'odd' ? 'isOdd(last)' : `ctx.get('${condition.key}') !== null`;
}

function printExpression(expression, indent) {
  const [[verb, value]] = Object.entries(expression);
  switch (verb) {
    case 'task':
      return `ctx.scheduleByName('${value}')`;
    case 'sleep':
      return `ctx.sleep(${value} ms)`;
    case 'promise':
      return `ctx.promise('${value}'${expression.timeoutMs ? `, { timeout: ${expression.timeoutMs} ms }` : ''})`;
    case 'run':
      return `ctx.run('${value}', ...)`;
    case 'started':
      return `started[${value} % started.length]`;
    case 'branch':
      return `(async () => {\n${printBlock(value, `${indent}  `)}${indent}})()`;
    default:
      return `Promise.${verb}([${value.map((each) => printExpression(each, indent)).join(', ')}])`;
  }
}
