import { expect, test } from 'vitest';
import { Duration } from '../src/duration.js';
import { Method } from '../src/rpc/methods.js';
import { workflow } from '../src/workflow/define.js';
import { queryAnswer } from './support/protobuf.js';
import { requestsOf, until, world } from './support/world.js';

const ONE_AT_A_TIME = { workflowWorkerOptions: { maxConcurrent: 1 } };
const echo = workflow({ name: 'echo', run: async (_ctx, input: unknown) => input });

test('a submission brings the next execution, so that many need few polls', async () => {
  const w = world();
  const starter = await w.client();
  const numbers = Array.from({ length: 30 }, (_, n) => n);
  const started = await Promise.all(numbers.map((n) => starter.startWorkflow(echo, n)));
  const client = await w.client([echo], ONE_AT_A_TIME);
  expect(await Promise.all(started.map(({ handle }) => handle.result()))).toEqual(numbers);
  // One that brought the first execution, and one that waits after the last.
  await until(() => w.engine.count('PollWorkflow') === 2);
  expect(client.getActiveWorkflowExecutions()).toEqual([]);
  expect(w.engine.count('SubmitWorkflowCommands')).toBe(30);
});

test('a next execution that comes while the worker stops is given back', async () => {
  const w = world();
  const starter = await w.client();
  const handles = [await starter.startWorkflow(echo, 1), await starter.startWorkflow(echo, 2)];
  const releases = requestsOf(w, Method.ReleaseClaim);
  const { intercept } = w.engine;
  let stopped: Promise<void> | undefined;
  w.engine.intercept = async (method, next, request) => {
    const answer = await intercept(method, next, request);
    // The answer with the next execution is on its way when the worker is told to stop.
    if (method === Method.SubmitWorkflowCommands) stopped ??= client.stop();
    return answer;
  };
  const client = await w.client([echo], ONE_AT_A_TIME);
  await until(() => stopped !== undefined);
  await stopped;
  expect(releases).toEqual([expect.objectContaining({ 1: handles[1]?.handle.workflowId })]);
  await w.client([echo]);
  expect(await Promise.all(handles.map(({ handle }) => handle.result()))).toEqual([1, 2]);
});

test('a worker that has been told to stop asks for nothing more', async () => {
  const w = world();
  const submissions = requestsOf(w, Method.SubmitWorkflowCommands);
  let stopped: Promise<void> | undefined;
  const stopping = workflow({
    name: 'stopping',
    run: (ctx) => ctx.run('stop', () => void (stopped = client.stop())),
  });
  const client = await w.client([stopping], ONE_AT_A_TIME);
  const { handle } = await client.startWorkflow(stopping);
  await until(() => stopped !== undefined);
  await stopped;
  expect(await w.eventTypes(handle.workflowId)).toContain('WORKFLOW_COMPLETED');
  expect(submissions.map((submission) => submission[1002])).toEqual([undefined, undefined]);
});

test('partial submissions and plain ones ask for nothing', async () => {
  const w = world();
  const submissions = requestsOf(w, Method.SubmitWorkflowCommands);
  const once = workflow({ name: 'once', run: (ctx) => ctx.run('op', () => 1) });
  const client = await w.client([once]);
  await client.executeWorkflow(once);
  expect(submissions.map((submission) => typeof submission[1002])).toEqual(['undefined', 'string']);
  submissions.length = 0;
  await client.stop();
  const plain = await w.client([echo], { extensions: false });
  await plain.executeWorkflow(echo, 1);
  expect(Object.keys(submissions[0] ?? {}).filter((field) => Number(field) >= 1000)).toEqual([]);
});

const counting = workflow({
  name: 'counting',
  run: (ctx) => ctx.sleep(Duration.days(1)),
  handlers: {
    queries: {
      sum: (ctx, { plus }: { plus: number }) => (ctx.get<number>('count') ?? 0) + plus,
      broken: () => {
        throw new Error('no answer to that');
      },
    },
  },
});

test.each([
  ['its result', 'counting', 'sum', { 2: '42' }],
  ['the error of its handler', 'counting', 'broken', { 3: 'no answer to that' }],
  [
    'what handlers there are',
    'counting',
    'other',
    { 3: expect.stringContaining('"sum", "broken"') as string },
  ],
  [
    'that the workflow is elsewhere',
    'elsewhere',
    'sum',
    { 3: expect.stringContaining('not registered') as string },
  ],
])('a query that a poll brings is answered with %s', async (_name, kind, name, answer) => {
  const w = world();
  const query = { id: 'q-1', executionId: 'e-1', kind, name, params: '{"plus":2}', state: { count: '40' } };
  const polls = requestsOf(w, Method.PollWorkflow);
  const answers = requestsOf(w, Method.AnswerQuery);
  const { intercept } = w.engine;
  w.engine.intercept = async (method, next, request) => {
    const isFirstPoll = method === Method.PollWorkflow && w.engine.count('PollWorkflow') === 1;
    const body = isFirstPoll ? queryAnswer(query) : new Uint8Array();
    const instead = async () => ({ metadata: {}, body });
    return intercept(method, isFirstPoll || method === Method.AnswerQuery ? instead : next, request);
  };
  const client = await w.client([counting]);
  await until(() => answers.length === 1);
  expect(answers[0]).toEqual({ 1: 'q-1', ...answer });
  expect(polls[0]).toMatchObject({ 1002: 1 });
  expect(client.getActiveWorkflowExecutions()).toEqual([]);
});

test('only workers with query handlers say that they answer queries, and which', async () => {
  const w = world();
  const polls = requestsOf(w, Method.PollWorkflow);
  const registrations = requestsOf(w, Method.RegisterWorker);
  await w.client([echo]);
  expect(polls[0]).not.toHaveProperty('1002');
  await w.client([counting]);
  expect(registrations.map((request) => String(request[8]).includes('broken'))).toEqual([false, true]);
  await w.client([counting], { extensions: false });
  expect(String(registrations[2]?.[8])).not.toContain('broken');
});

test('a server that turns out to know the extensions is told of the queries with a second registration', async () => {
  const w = world();
  w.engine.extended = false;
  const registrations = requestsOf(w, Method.RegisterWorker);
  const { intercept } = w.engine;
  w.engine.intercept = async (method, next, request) => {
    const answer = await intercept(method, next, request);
    w.engine.extended = true;
    return answer;
  };
  await w.client([counting]);
  expect(registrations.map((request) => String(request[8]).includes('broken'))).toEqual([false, true]);
});
