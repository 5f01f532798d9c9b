import { activationOpenHistory } from '../../sdk/dist/core.js';
import { silentLogger } from '../../sdk/dist/logger.js';
import { systemClock } from '../../sdk/dist/runtime/clock.js';
import { runDry } from '../../sdk/dist/runtime/run-dry.js';
import { JsonSerializer } from '../../sdk/dist/serde.js';
import { Activation } from '../../sdk/dist/workflow/activation.js';
import { Driver } from '../../sdk/dist/workflow/driver.js';
import { interpreter } from './interpreter.mjs';
import { checkRules } from './rules.mjs';
import { readSubmission } from './wire.mjs';
import { describeCommand, Disagreement } from './world.mjs';

const serializer = new JsonSerializer();
const ENDS = {
  WORKFLOW_COMPLETED: 'COMPLETED',
  WORKFLOW_EXECUTION_FAILED: 'FAILED',
  WORKFLOW_CANCELLED: 'CANCELLED',
};

/**
 * Replays every execution of a world that has come to rest, without a cache: from its whole history, and from each part
 * of it that a submission was made from. Every run of the function must have seen the same, and asked for the same.
 *
 * @param {import('./world.mjs').World} world
 */
export async function checkReplays(world) {
  for (const [executionId, { name }] of world.executions) {
    const events = world.engine.history(executionId);
    const submissions = world.submissions.filter((submission) => submission.executionId === executionId);
    const replay = await replayAll(world, executionId, events);
    checkEnd(name, events, replay);
    checkRules(executionId, replay.trace, events);
    for (const submission of submissions) {
      checkTrace(name, submission, replay.trace);
      await checkPrefix(world, name, submission, events);
    }
  }
}

async function replayAll(world, executionId, events) {
  const taskTimeMs = world.engine.nowMs;
  return rerun(world, { executionId, events, taskTimeMs, records: [] });
}

function checkEnd(name, events, { submission }) {
  const expected = ENDS[events.findLast(({ eventType }) => eventType in ENDS)?.eventType] ?? 'SUSPENDED';
  const got = submission.commands.filter(({ type }) => type !== 'SUSPEND_WORKFLOW').map(describeCommand);
  if (submission.status === expected && got.length === 0) return;
  throw new Disagreement('full replay', `the full replay of ${name} ends otherwise`, {
    expected: [`status ${expected}`],
    got: [...got, `status ${submission.status}`],
  });
}

function checkTrace(name, { trace, traceLength, worker }, replayed) {
  for (let at = 0; at < traceLength; at += 1) {
    if (String(trace[at]) === String(replayed[at])) continue;
    throw new Disagreement('trace', `${worker} and the full replay of ${name} saw different things`, {
      expected: lines(trace.slice(0, at + 1)),
      got: lines(replayed.slice(0, at + 1)),
    });
  }
}

/**
 * A submission again, from the events that the worker held when it made it. What goes beyond them is answered as it was
 * then: the time of the activation, and the ends of operations in the order of their records.
 */
async function checkPrefix(
  world,
  name,
  { executionId, heldSequence, commands, status, taskTimeMs, worker },
  events,
) {
  const records = commands.filter(({ type, name: operation }) => isOperation(type, operation));
  const prefix = events.slice(0, heldSequence);
  const again = await rerun(world, { executionId, events: prefix, taskTimeMs, records });
  // How many ends of operations share a submission is a matter of time: here each goes out by itself.
  const expected = status === 'RUNNING' ? withoutRecords(commands, records.slice(1)) : commands;
  const [then, now] = [expected.map(describeCommand), again.submission.commands.map(describeCommand)];
  if (then.join('\n') === now.join('\n') && again.submission.status === status) return;
  const text = `${worker} and a replay of ${name} from the first ${heldSequence} events submitted different things`;
  throw new Disagreement('prefix', text, {
    expected: [...then, `status ${status}`],
    got: [...now, `status ${again.submission.status}`],
  });
}

function withoutRecords(commands, records) {
  return commands.filter((command) => !records.includes(command));
}

function isOperation(type, name) {
  return type === 'RECORD_OPERATION' && !name.startsWith('$');
}

/** Runs the function along these events up to its first submission. */
async function rerun(world, { executionId, events, taskTimeMs, records }) {
  const begun = [];
  const run = { trace: [], submission: undefined };
  const definition = interpreter((_, trace) => {
    run.trace = trace;
    return {
      program: world.program,
      note: () => {},
      operation: (name) => new Promise((resolve, reject) => begun.push({ name, resolve, reject })),
    };
  });
  const activation = Activation.of(
    activationOpenHistory(historyJson(executionId, events, taskTimeMs)),
    undefined,
  );
  const host = {
    signal: new AbortController().signal,
    getEvents: () => Promise.reject(new Error('the history is complete')),
    submit: (bytes) => {
      run.submission = readSubmission(bytes);
      return new Promise(() => {});
    },
  };
  const driver = new Driver(activation, { definition, serializer, logger: silentLogger, clock: systemClock });
  let failure;
  driver.run(host).catch((error) => {
    failure = error;
  });
  try {
    await untilSubmitted(run, begun, records, () => failure);
  } finally {
    driver.close();
  }
  if (failure !== undefined) {
    throw new Disagreement(
      'replay',
      `the replay of ${world.nameOf(executionId)} from ${events.length} events: ${failure.message}`,
    );
  }
  return run;
}

async function untilSubmitted(run, begun, records, failed) {
  const left = [...records];
  let idle = 0;
  while (run.submission === undefined && failed() === undefined) {
    await runDry();
    const at = begun.findIndex(({ name }) => name === left[0]?.name);
    if (at < 0) {
      idle += 1;
      if (idle > 10_000)
        throw new Disagreement('replay', `a replay waits for operations that were never recorded`);
      continue;
    }
    const [operation] = begun.splice(at, 1);
    settle(operation, JSON.parse(left.shift().result));
  }
}

/** An operation that failed is recorded as an error in an envelope. */
function settle({ resolve, reject }, result) {
  if (result?.__type !== 'OperationError') return resolve(result);
  const { name, message, stack } = result.value;
  reject(Object.assign(new Error(message), { name, stack }));
}

function historyJson(executionId, events, taskTimeMs) {
  const execution = JSON.stringify({ executionId, kind: 'program', taskTimeMs, extended: true });
  const list = events.map(
    ({ sequence, eventType, data }) => `{"sequence":${sequence},"eventType":"${eventType}","data":${data}}`,
  );
  return `{"execution":${execution},"events":[${list.join(',')}]}`;
}

function lines(trace) {
  return trace.map((entry) => entry.join(' '));
}
