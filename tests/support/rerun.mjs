import { activationOpenHistory } from '../../sdk/dist/core.js';
import { silentLogger } from '../../sdk/dist/logger.js';
import { systemClock } from '../../sdk/dist/runtime/clock.js';
import { Stop } from '../../sdk/dist/runtime/stop.js';
import { runDry } from '../../sdk/dist/runtime/run-dry.js';
import { JsonSerializer } from '../../sdk/dist/serde.js';
import { Activation } from '../../sdk/dist/workflow/activation.js';
import { Driver } from '../../sdk/dist/workflow/driver.js';
import { readSubmission } from '../conformance/wire.mjs';

const serializer = new JsonSerializer();
const IDLE_MAX = 10_000;

/**
 * Runs a workflow function along the events of a history, as a worker does that has nothing in memory, and gives the first
 * submission that it makes. Operations beyond the events are not run: they end as `records` say, one after the other.
 *
 * @param {object} given
 * @param {{ name: string, run: Function }} given.definition
 * @param {string} given.executionId
 * @param {{ sequence: number, eventType: string, data: string }[]} given.events `data` as JSON text
 * @param {number} given.taskTimeMs the time of the activation
 * @param {{ name: string, result: string }[]} [given.records]
 * @param {boolean} [given.extended] whether the worker knows the extension
 */
export async function rerun({ definition, executionId, events, taskTimeMs, records = [], extended = true }) {
  const begun = [];
  const answered = answering(definition, (name) => {
    return new Promise((resolve, reject) => begun.push({ name, resolve, reject }));
  });
  const history = historyJson(executionId, definition.name, events, { taskTimeMs, extended });
  const activation = Activation.of(activationOpenHistory(history), undefined);
  const outcome = {};
  const host = {
    stop: new Stop(),
    getEvents: () => Promise.reject(new Error('the history is complete')),
    submit: (bytes) => {
      outcome.submission = readSubmission(bytes);
      return new Promise(() => {});
    },
  };
  const driver = new Driver(activation, {
    definition: answered,
    serializer,
    logger: silentLogger,
    clock: systemClock,
  });
  driver.run(host).catch((error) => {
    outcome.failure = error;
  });
  try {
    await untilOver(outcome, begun, [...records]);
  } finally {
    driver.close();
  }
  if (outcome.failure !== undefined) throw outcome.failure;
  return outcome.submission;
}

/**
 * What is wrong with a submission, made by a worker that held the first `heldSequence` events, when it is made anew from
 * these: undefined, or both lists of commands.
 */
export async function differenceFromPrefix({ definition, executionId, events, submission }) {
  const { heldSequence, commands, status, taskTimeMs, extended } = submission;
  const records = commands.filter(({ type, name }) => type === 'RECORD_OPERATION' && !name.startsWith('$'));
  const prefix = events.slice(0, heldSequence);
  const again = await rerun({ definition, executionId, events: prefix, taskTimeMs, records, extended });
  // How many ends of operations share a submission is a matter of time: here each goes out by itself.
  const later = status === 'RUNNING' ? records.slice(1) : [];
  return difference(
    { commands: commands.filter((command) => !later.includes(command)), status },
    { commands: again.commands, status: again.status },
  );
}

const ENDS = {
  WORKFLOW_COMPLETED: 'COMPLETED',
  WORKFLOW_EXECUTION_FAILED: 'FAILED',
  WORKFLOW_CANCELLED: 'CANCELLED',
};

/** What is wrong with a full replay of a history, as above: it must end alike and ask for nothing new. */
export async function differenceFromReplay({ definition, executionId, events, taskTimeMs, extended }) {
  const again = await rerun({ definition, executionId, events, taskTimeMs, extended });
  const status = ENDS[events.findLast(({ eventType }) => eventType in ENDS)?.eventType] ?? 'SUSPENDED';
  const commands = again.commands.filter(({ type }) => type !== 'SUSPEND_WORKFLOW');
  return difference({ commands: [], status }, { commands, status: again.status });
}

/** A command in one line; of ids only the beginning. */
export function describeCommand({ type, ...details }) {
  const shortId = (value) => String(value).replace(/^(\w{4})\w{4}-[-\w]{27}$/, '$1');
  return [type, ...Object.values(details).map(shortId)].join(' ');
}

function difference(expected, got) {
  const lines = ({ commands, status }) => [...commands.map(describeCommand), `status ${status}`];
  const [left, right] = [lines(expected), lines(got)];
  return left.join('\n') === right.join('\n') ? undefined : { expected: left, got: right };
}

async function untilOver(outcome, begun, records) {
  for (let idle = 0; outcome.submission === undefined && outcome.failure === undefined; ) {
    await runDry();
    const at = begun.findIndex(({ name }) => name === records[0]?.name);
    if (at < 0) {
      idle += 1;
      if (idle > IDLE_MAX)
        throw new Error(`it waits for ${begun.map(({ name }) => name)}, which no record ends`);
      continue;
    }
    const [operation] = begun.splice(at, 1);
    settle(operation, JSON.parse(records.shift().result));
  }
}

/** An operation that failed is recorded as an error in an envelope. */
function settle({ resolve, reject }, result) {
  if (result?.__type !== 'OperationError') return resolve(serializer.deserialize(JSON.stringify(result)));
  const { name, message, stack } = result.value;
  reject(Object.assign(new Error(message), { name, stack }));
}

/** The same workflow with `begin` called in the place of every function of an operation. */
function answering(definition, begin) {
  const wrapped = new WeakMap();
  // The function and its handlers have one context.
  const wrap = (ctx) => {
    if (!wrapped.has(ctx)) wrapped.set(ctx, proxy(ctx));
    return wrapped.get(ctx);
  };
  const proxy = (ctx) =>
    new Proxy(ctx, {
      get(target, key) {
        if (key === 'run') return (name, _, options) => target.run(name, () => begin(name), options);
        const member = Reflect.get(target, key, target);
        if (typeof member !== 'function') return member;
        if (key !== 'scope' && key !== 'nonCancellable') return member.bind(target);
        return (fn, ...rest) => member.call(target, (inner) => fn(wrap(inner)), ...rest);
      },
    });
  const signals = Object.entries(definition.handlers?.signals ?? {}).map(([name, handle]) => [
    name,
    (ctx, payload) => handle(wrap(ctx), payload),
  ]);
  const handlers = { ...definition.handlers, signals: Object.fromEntries(signals) };
  return { ...definition, handlers, run: (ctx, input) => definition.run(wrap(ctx), input) };
}

function historyJson(executionId, kind, events, { taskTimeMs, extended }) {
  const execution = JSON.stringify({ executionId, kind, taskTimeMs, extended, tolerant: false });
  const list = events.map(
    ({ sequence, eventType, data }) => `{"sequence":${sequence},"eventType":"${eventType}","data":${data}}`,
  );
  return `{"execution":${execution},"events":[${list.join(',')}]}`;
}
