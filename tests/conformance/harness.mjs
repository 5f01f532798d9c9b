import { workflow } from '@flovyn/sdk';

const CASE_LIMIT_MS = 30_000;
const LOOK_EVERY_MS = 5;

/**
 * @typedef {object} Case
 * @property {(ctx: any, input: any) => any} [run] the workflow function
 * @property {object} [handlers] those of the workflow
 * @property {object} [definition] a workflow that is defined elsewhere, instead of the two
 * @property {'extensions' | 'operating'} [needs] what it cannot do without: our extensions, or calls that operators make
 *   (cancel, describe, list), which are extensions or over REST
 * @property {unknown} [input]
 * @property {(tools: Tools) => Promise<void>} [act] what happens outside while it runs
 * @property {boolean} [neverEnds] it stays suspended: its result is not waited for
 * @property {unknown} [gives] the result it must have
 * @property {RegExp} [fails] what the error of its result must say
 * @property {(tools: Tools & { result: unknown }) => void | Promise<void>} [then] what must be true afterwards
 *
 * @typedef {{ client: any, definition: any, handle: any, notes: any[], replays: boolean }} Tools `notes` are those of
 *   this execution; `replays`: every activation replays the history
 */

/** The cases of one file, each a workflow of its own, run one after the other by any runtime. */
export class Suite {
  #cases = [];
  #others = [];
  #notes = new Map();

  /** @param {string} name @param {Case} testCase */
  check(name, testCase) {
    const { run, handlers } = testCase;
    const definition = testCase.definition ?? workflow({ name: `case-${this.#cases.length}`, run, handlers });
    this.#cases.push({ ...testCase, name, definition });
  }

  /** Adds a check of things that no workflow is needed for. */
  checkOutside(name, then) {
    this.#cases.push({ name, then });
  }

  /** A workflow that cases start besides their own, such as a child. */
  workflow(name, run) {
    const definition = workflow({ name, run });
    this.#others.push(definition);
    return definition;
  }

  get workflows() {
    return [...new Set([...this.#cases.flatMap(({ definition }) => definition ?? []), ...this.#others])];
  }

  /** Workflows that are defined elsewhere and that no case, or not only cases, start. */
  register(...definitions) {
    this.#others.push(...definitions);
  }

  /**
   * Remembers something about an execution outside of its history: what the world, or each run of its function, saw.
   * Workflow code must not do this; a test must, to see what replay did.
   */
  note(executionId, value) {
    this.notesOf(executionId).push(value);
  }

  notesOf(executionId) {
    if (!this.#notes.has(executionId)) this.#notes.set(executionId, []);
    return this.#notes.get(executionId);
  }

  /**
   * Runs the cases and gives each outcome to `report`. Gives how many there were.
   *
   * @param {object} [how] `extent` is `all` or `one of each`, which takes the first of those whose names begin with the
   *   same word; `replays` says that every activation replays the history; `lacks` is what cases may not need
   */
  async run(client, report, { extent = 'all', replays = false, lacks = [] } = {}) {
    const possible = this.#cases.filter(({ needs }) => !lacks.includes(needs));
    const chosen = extent === 'all' ? possible : firstOfEach(possible);
    for (const testCase of chosen) {
      const started = Date.now();
      const error = await within(CASE_LIMIT_MS, this.#runCase(client, testCase, replays)).catch(
        (thrown) => thrown,
      );
      report({
        name: testCase.name,
        ok: error === undefined,
        ms: Date.now() - started,
        ...(error && { error: describe(error) }),
      });
    }
    return chosen.length;
  }

  async #runCase(client, { definition, input, act, neverEnds, fails, then, ...rest }, replays) {
    if (!definition) return then({ client });
    const { handle } = await client.startWorkflow(definition, input);
    const tools = { client, definition, handle, notes: this.notesOf(handle.workflowId), replays };
    await act?.(tools);
    if (neverEnds) return then(tools);
    if (fails) {
      const error = await handle.result().then(
        (value) => new Error(`gave ${print(value)} where it must fail`),
        (thrown) => thrown,
      );
      if (!fails.test(error.message))
        throw new Error(`must fail with ${fails}, failed with: ${describe(error)}`);
      return then?.({ ...tools, error });
    }
    const result = await handle.result();
    if ('gives' in rest) same(result, rest.gives);
    return then?.({ ...tools, result });
  }
}

function firstOfEach(cases) {
  const kinds = new Map();
  for (const testCase of cases) {
    const [kind] = testCase.name.split(':');
    if (!kinds.has(kind)) kinds.set(kind, testCase);
  }
  return [...kinds.values()];
}

/** Fails unless both values are equal in every part. */
export function same(actual, expected) {
  if (print(actual) !== print(expected)) throw new Error(`expected ${print(expected)}, got ${print(actual)}`);
}

/** Waits until something outside of any workflow is true. */
export async function until(isTrue) {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
}

/** Waits until something that must be asked for is true. */
export async function eventually(isTrue) {
  while (!(await isTrue())) await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
}

/** The errors of code that must throw. */
export async function thrownBy(body) {
  try {
    await body();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

function within(ms, work) {
  let timer;
  const limit = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not finished after ${ms} ms`)), ms);
  });
  return Promise.race([work, limit]).finally(() => clearTimeout(timer));
}

/** A text in which different values look different: JSON would lose most of the values that matter here. */
function print(value) {
  if (typeof value === 'bigint') return `${value}n`;
  if (Object.is(value, -0)) return '-0';
  if (typeof value !== 'object' || value === null)
    return typeof value === 'string' ? JSON.stringify(value) : String(value);
  if (value instanceof Date) return `Date(${value.toISOString()})`;
  if (value instanceof Error) return `${value.name}(${value.message})`;
  if (Array.isArray(value)) return `[${value.map(print).join(', ')}]`;
  const entries =
    value instanceof Map
      ? [...value]
      : value instanceof Set
        ? [...value].map((item) => [item])
        : Object.entries(value);
  const name = value.constructor?.name ?? 'Object';
  return `${name === 'Object' ? '' : name}{${entries.map((entry) => entry.map(print).join(': ')).join(', ')}}`;
}

function describe(error) {
  return error instanceof Error ? `${error.name}: ${error.message}\n${error.stack ?? ''}` : String(error);
}
