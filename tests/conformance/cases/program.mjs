import { eventually, same } from '../harness.mjs';
import * as program from '../program/index.js';
import { promiseOf, suite } from '../tools.mjs';

// The program that is written as the SDK's users have always written theirs: see ../program.

suite.register(...program.programWorkflows);

/** A case of one workflow of the program. */
const check = (name, definition, testCase) => suite.check(`program: ${name}`, { definition, ...testCase });
/** Waits until the execution has made its promise, or is otherwise as far: operators can see that, workflows cannot. */
const untilWaiting = (handle) => eventually(async () => (await handle.describe()).status === 'WAITING');

// --- without tasks ---

check('echo', program.echoWorkflow, {
  input: { message: 'hello' },
  then: ({ result }) => same([result.message, typeof result.timestamp], ['hello', 'number']),
});
check('executeWorkflow', program.doublerWorkflow, {
  input: { value: 1 },
  then: async ({ client }) =>
    same(await client.executeWorkflow(program.doublerWorkflow, { value: 21 }), { result: 42 }),
});
check('a handle by id', program.doublerWorkflow, {
  input: { value: 2 },
  then: async ({ client, handle }) => same(await client.getWorkflowHandle(handle.workflowId), { result: 4 }),
});
check('failing', program.failingWorkflow, {
  input: { message: 'this must fail' },
  fails: /this must fail/,
  then: ({ error }) => same(error.name, 'WorkflowFailed'),
});
check('state', program.statefulWorkflow, {
  input: { increments: 5 },
  gives: { count: 5, keys: ['count', 'last'], missing: null, cleared: [] },
});
check('operations', program.operationWorkflow, {
  input: { n: 3 },
  gives: { values: [0, 10, 20], caught: 'operation failed' },
});
check('random', program.randomWorkflow, {
  then: ({ result: { same: alike, uuid, number } }) =>
    same([alike, /^[0-9a-f-]{36}$/.test(uuid), number >= 0 && number < 1], [false, true, true]),
});
check('sleep', program.sleepWorkflow, {
  input: { durationMs: 20 },
  then: ({ result }) => same([result.sleptMs >= 20, result.rested], [true, true]),
});
check('identity', program.identityWorkflow, {
  then: ({ handle, result }) => same(result, { id: handle.workflowId, cancelled: false }),
});

// --- tasks ---

check('one task', program.taskSchedulingWorkflow, {
  input: { a: 20, b: 22 },
  then: ({ result }) => same([result.sum, typeof result.id], [42, 'string']),
});
check('tasks one after the other', program.sequentialTasksWorkflow, {
  input: { start: 0, steps: 5 },
  gives: 15,
});
check('tasks side by side', program.parallelTasksWorkflow, {
  input: { labels: ['a', 'b', 'c', 'd'] },
  gives: ['a', 'b', 'c', 'd'],
});
check('fan-out and fan-in', program.fanOutFanInWorkflow, {
  input: { items: [{ id: 1 }, { id: 2, tags: ['x'] }, { id: 3 }] },
  gives: { total: 14, count: 3 },
});
check('fan-out of nothing', program.fanOutFanInWorkflow, {
  input: { items: [] },
  gives: { total: 0, count: 0 },
});
check('batches of 20', program.batchWorkflow, {
  input: { total: 50, batchSize: 20 },
  gives: { batches: 3, processed: 50 },
});
check('an empty batch', program.batchWorkflow, {
  input: { total: 0, batchSize: 20 },
  gives: { batches: 0, processed: 0 },
});
check('mixed work side by side', program.mixedParallelWorkflow, {
  gives: { results: [{ sum: 3 }, null, 'operation', 'no input'], settled: ['rejected', 'fulfilled'] },
});
check('a race against a timer', program.raceWorkflow, { gives: { winner: 'timer' } });
check('retries', program.retryWorkflow, { input: { failUntilAttempt: 3 }, gives: { attempt: 3 } });
check('a task that fails', program.taskFailureWorkflow, {
  input: { reason: 'out of stock' },
  then: ({ result: { name, message, isTaskFailed } }) =>
    same([name, message.includes('out of stock'), isTaskFailed], ['TaskFailed', true, true]),
});
check('a task by name', program.dynamicTaskWorkflow, {
  input: { name: 'program-add-task', input: { a: 1, b: 1 } },
  gives: { sum: 2 },
});
check('the handle of a task awaited', program.echoTaskWorkflow, { input: { message: 'ab' }, gives: 'abab' });

// --- promises, signals, children ---

check('a promise resolved', program.promiseWorkflow, {
  input: { name: 'approval' },
  needs: 'operating',
  act: async ({ client, handle }) => {
    await untilWaiting(handle);
    await client.resolvePromise(promiseOf(handle, 'approval'), { approved: true });
  },
  gives: { outcome: 'resolved', value: { approved: true } },
});
check('a promise rejected', program.promiseWorkflow, {
  input: { name: 'approval' },
  needs: 'operating',
  act: async ({ client, handle }) => {
    await untilWaiting(handle);
    await client.rejectPromise(promiseOf(handle, 'approval'), 'not today');
  },
  then: ({ result: { outcome, value } }) =>
    same([outcome, value.includes('rejected'), value.includes('not today')], ['rejected', true, true]),
});
check('a promise that times out', program.promiseTimeoutWorkflow, {
  input: { timeoutMs: 10 },
  then: ({ result: { timedOut, message } }) => same([timedOut, message.includes('timed out')], [true, true]),
});
check('a child', program.childWorkflow, {
  input: { message: 'from the parent' },
  gives: { message: 'from the parent', childSaid: 'from the parent' },
});
check('a child that fails', program.childFailureWorkflow, {
  input: { message: 'the child gave up' },
  then: ({ result: { caught, message } }) =>
    same([caught, message.includes('the child gave up')], [true, true]),
});
check('children three deep', program.nestedChildrenWorkflow, { gives: { depth: 3 } });
check('children in a loop', program.childLoopWorkflow, { input: { count: 4 }, gives: [2, 4, 6, 8] });
check('one signal', program.signalWorkflow, {
  act: ({ handle }) => handle.signal('decision', { approved: true }),
  gives: { name: 'decision', value: { approved: true } },
});
check('many signals', program.signalsWorkflow, {
  input: { count: 5 },
  act: async ({ client, handle }) => {
    let last = 0;
    for (let n = 1; n <= 5; n += 1) {
      const sequence = await client.signalWorkflow(handle.workflowId, 'item', { n });
      same(sequence > last, true);
      last = sequence;
    }
  },
  gives: { received: [1, 2, 3, 4, 5].map((n) => ({ n })), pending: 0 },
});
check('signals drained', program.drainWorkflow, {
  act: async ({ handle }) => {
    for (const value of ['x', 'y']) await handle.signal('item', value);
    await handle.signal('go');
  },
  gives: { had: true, drained: ['x', 'y'], left: false },
});
check('signals with handlers', program.handledSignalsWorkflow, {
  act: async ({ handle }) => {
    for (const value of ['first', 'second']) await handle.signal('note', value);
    await handle.signal('finish');
  },
  gives: ['first', 'second'],
});
check('signal with start', program.signalWorkflow, {
  act: async ({ client, handle }) => {
    await handle.signal('decision', { approved: false });
    const workflowId = `order-${globalThis.crypto.randomUUID()}`;
    const options = { workflowId, input: undefined, signalName: 'decision', signalValue: { approved: true } };
    const started = await client.signalWithStartWorkflow(program.signalWorkflow, options);
    same(started.workflowCreated, true);
    same((await started.workflowHandle.result()).value, { approved: true });
  },
  gives: { name: 'decision', value: { approved: false } },
});
check('comprehensive', program.comprehensiveWorkflow, {
  input: { name: 'everything' },
  needs: 'operating',
  act: async ({ client, handle }) => {
    await eventually(async () => (await handle.query('stage')) === 'waiting');
    await untilWaiting(handle);
    await client.resolvePromise(promiseOf(handle, 'approval'), { approved: true });
    await handle.signal('note', 'noted');
  },
  gives: {
    operation: 'prepared everything',
    task: 'everything',
    child: 42,
    slept: true,
    approval: true,
    signal: 'noted',
    state: ['stage'],
  },
});

// --- streams ---

/** What a workflow's tasks streamed, of one type, without where and when. */
async function streamed(handle, type) {
  const seen = [];
  for await (const { sequence, taskExecutionId, timestamp, ...event } of handle.stream()) {
    same([typeof sequence, typeof taskExecutionId, timestamp instanceof Date], ['number', 'string', true]);
    if (event.type === type || type === undefined) seen.push(event);
  }
  return seen;
}

check('a stream of tokens', program.tokenStreamWorkflow, {
  input: { text: 'one two three' },
  gives: { count: 3 },
});
check('a stream of tokens, read', program.tokenStreamWorkflow, {
  input: { text: 'one two three' },
  needs: 'extensions',
  then: async ({ handle }) =>
    same(
      (await streamed(handle, 'token')).map(({ text }) => text),
      ['one', 'two', 'three'],
    ),
});
check('a stream of progress', program.progressStreamWorkflow, {
  input: { steps: 4 },
  gives: { steps: 4 },
});
check('a stream of progress, read', program.progressStreamWorkflow, {
  input: { steps: 2 },
  needs: 'extensions',
  then: async ({ handle }) =>
    same(await streamed(handle, 'progress'), [
      { type: 'progress', progress: 0.5, details: 'step 1 of 2' },
      { type: 'progress', progress: 1, details: 'step 2 of 2' },
    ]),
});
check('a stream of data', program.dataStreamWorkflow, {
  input: { records: 3 },
  gives: { records: 3 },
});
check('a stream with an error in it', program.errorStreamWorkflow, { gives: { recovered: true } });
check('a stream of every kind, and hooks', program.everyStreamWorkflow, {
  gives: { events: 4 },
  then: () => same(program.hookCalls.slice(-2), ['start', 'success']),
});
check('a stream of every kind, read', program.everyStreamWorkflow, {
  needs: 'extensions',
  then: async ({ handle }) =>
    same(await streamed(handle), [
      { type: 'token', text: 'once' },
      { type: 'progress', progress: 0.5, details: 'half' },
      { type: 'data', data: { n: 1 } },
      { type: 'error', message: 'only a test', code: 'TEST' },
    ]),
});
