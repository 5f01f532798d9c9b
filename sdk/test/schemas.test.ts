import { toStandardJsonSchema } from '@valibot/to-json-schema';
import { type } from 'arktype';
import * as v from 'valibot';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import './support/core.js';
import type { FlovynClient } from '../src/client/client.js';
import { ConfigurationError, TaskFailed, ValidationError, WorkflowFailed } from '../src/errors.js';
import { jsonSchemaOf } from '../src/schema/json-schema.js';
import type { StandardSchemaV1 } from '../src/schema/standard-schema.js';
import type { TaskContext } from '../src/task/context-types.js';
import { task, type TaskDefinition } from '../src/task/define.js';
import type { WorkflowContext } from '../src/workflow/context-types.js';
import { workflow, type WorkflowDefinition } from '../src/workflow/define.js';
import { failureOf } from './support/failure.js';
import { until, world } from './support/world.js';

interface Order {
  id: string;
  items: { price: number }[];
}

/** The same schema of each library. All of them leave out what they do not know, and fill in `count`. */
const SCHEMAS: [library: string, schema: StandardSchemaV1<Order, Order & { count: number }>][] = [
  [
    'zod',
    z.object({
      id: z.string(),
      items: z.array(z.object({ price: z.number() })),
      count: z.number().default(1),
    }),
  ],
  [
    'valibot',
    v.object({
      id: v.string(),
      items: v.array(v.object({ price: v.number() })),
      count: v.optional(v.number(), 1),
    }),
  ],
  [
    'arktype',
    type({ '+': 'delete', id: 'string', items: type({ price: 'number' }).array(), count: 'number = 1' }),
  ],
];

const good = { id: 'a', items: [{ price: 1 }], unknown: true };
const parsed = { id: 'a', items: [{ price: 1 }], count: 1 };
const bad = { id: 'a', items: [{ price: 1 }, { price: 'much' }] } as never;

describe.each(SCHEMAS)('a schema of %s', (_library, input) => {
  test('checks the input of a workflow where it is started, and sends what it makes of it', async () => {
    const w = world();
    const order = workflow({ name: 'order', input, run: async (_ctx, given) => given });
    const client = await w.client([order]);
    const { handle } = await client.startWorkflow(order, good);
    expect((await w.history(handle.workflowId))[0]?.data['input']).toEqual(parsed);
    expect(await handle.result()).toEqual(parsed);

    const starts = w.engine.count('StartWorkflow');
    const error = (await failureOf(client.startWorkflow(order, bad))) as ValidationError;
    expect(error).toBeInstanceOf(ValidationError);
    expect(error).toMatchObject({
      code: 'VALIDATION',
      subject: 'workflow "order"',
      side: 'input',
      retryable: false,
    });
    expect(error.issues).toEqual([{ path: '$.items[1].price', message: expect.any(String) as string }]);
    expect(error.message).toMatch(
      /^The input of the workflow "order" does not fit its schema: .* \(at \$\.items\[1\]\.price\)$/,
    );
    const signal = { workflowId: 'k', signalName: 's', input: bad };
    expect(await failureOf(client.signalWithStartWorkflow(order, signal))).toBeInstanceOf(ValidationError);
    expect(w.engine.count('StartWorkflow')).toBe(starts);
    expect(w.engine.count('SignalWithStartWorkflow')).toBe(0);
  });

  test('fails an execution that was started with input that nobody checked', async () => {
    const w = world();
    let runs = 0;
    const order = workflow({ name: 'order', input, run: () => (runs += 1) });
    const client = await w.client([order]);
    const { handle } = await client.startWorkflow('order', bad);
    const error = await failureOf(handle.result());
    expect(error).toBeInstanceOf(WorkflowFailed);
    expect(error.message).toContain('The input of the workflow "order" does not fit its schema: ');
    expect(error.message).toContain('(at $.items[1].price)');
    expect(runs).toBe(0);
  });

  test('checks the input of a task where it is scheduled and at every attempt', async () => {
    const w = world();
    const charge = task({ name: 'charge', input, run: (_ctx, given) => given });
    const checked = workflow({
      name: 'checked',
      run: async (ctx) => [
        await ctx.task(charge, good),
        await ctx.task(charge, bad).catch((error: unknown) => error),
      ],
    });
    const unchecked = workflow({ name: 'unchecked', run: (ctx) => ctx.scheduleByName('charge', bad) });
    const client = await w.client([checked, unchecked, charge]);
    const attempts = () => w.engine.count('FailTask');
    const { handle } = await client.startWorkflow(checked);
    const refused = await failureOf(handle.result());
    expect(refused.message).toContain('The input of the task "charge" does not fit its schema: ');
    const scheduled = (await w.history(handle.workflowId)).filter(({ type: t }) => t === 'TASK_SCHEDULED');
    expect(scheduled.map(({ data }) => data['input'])).toEqual([parsed]);
    expect(attempts()).toBe(0);

    const late = await failureOf(client.executeWorkflow(unchecked));
    expect(late.message).toContain('The input of the task "charge" does not fit its schema: ');
    expect(attempts()).toBe(1);
  });
});

const positive = z.number().positive();

test('a task whose output does not fit fails for good, with what is wrong', async () => {
  const w = world();
  let attempts = 0;
  const charge = task({
    name: 'charge',
    output: positive,
    run: () => {
      attempts += 1;
      return -1;
    },
  });
  const order = workflow({
    name: 'order',
    run: async (ctx) => {
      const error = (await failureOf(ctx.task(charge))) as TaskFailed;
      const cause = error.cause as Error;
      return [error instanceof TaskFailed, error.retryable, error.message, cause.name];
    },
  });
  const client = await w.client([order, charge]);
  const text = 'The output of the task "charge" does not fit its schema: ';
  expect(await client.executeWorkflow(order)).toEqual([
    true,
    false,
    expect.stringContaining(text) as string,
    'ValidationError',
  ]);
  expect(attempts).toBe(1);
});

test('the output of a workflow is what its schema makes of it, or fails the execution', async () => {
  const w = world();
  const parent = workflow({
    name: 'parent',
    output: z.object({ total: positive }),
    run: async (_ctx, total: number) => ({ total, secret: true }),
  });
  const client = await w.client([parent]);
  expect(await client.executeWorkflow(parent, 2)).toEqual({ total: 2 });
  const error = await failureOf(client.executeWorkflow(parent, -2));
  expect(error).toBeInstanceOf(WorkflowFailed);
  expect(error.message).toContain('The output of the workflow "parent" does not fit its schema: ');
  expect(error.message).toContain('(at $.total)');
});

test('input of a child is checked in its parent, which may catch the error in every replay', async () => {
  const w = world();
  const child = workflow({ name: 'child', input: positive, run: (_ctx, n) => n * 2 });
  const parent = workflow({
    name: 'parent',
    run: async (ctx, n: number) => {
      const caught = await ctx
        .promise('first')
        .then(() => ctx.workflow(child, n))
        .catch((error: unknown) => (error instanceof ValidationError ? error.issues.length : 0));
      await ctx.promise('second');
      return caught;
    },
  });
  const client = await w.client([parent, child], { workflowWorkerOptions: { alwaysReplay: true } });
  const outcome = async (n: number): Promise<unknown> => {
    const { handle } = await client.startWorkflow(parent, n);
    const created = async (count: number) =>
      (await w.eventTypes(handle.workflowId)).filter((t) => t === 'PROMISE_CREATED').length === count;
    await until(() => created(1));
    await client.resolvePromise(`${handle.workflowId}:first`);
    await until(() => created(2));
    await client.resolvePromise(`${handle.workflowId}:second`);
    return handle.result();
  };
  expect(await outcome(2)).toBe(4);
  expect(await outcome(-2)).toBe(1);
});

test.each([
  ['waits for a signal', async (ctx: WorkflowContext) => ctx.waitForSignal('go')],
  [
    'has done something',
    async (ctx: WorkflowContext) => {
      await ctx.run('op', () => 1);
      return ctx.waitForSignal('go');
    },
  ],
])('input that fits no more parks an execution that %s, and never fails it', async (_name, run) => {
  const w = world();
  const lax = workflow({ name: 'order', input: z.number(), run });
  const strict = workflow({ name: 'order', input: positive, run });
  const first = await w.client([lax]);
  const { handle } = await first.startWorkflow(lax, -1);
  await until(async () =>
    (await w.history(handle.workflowId)).some(({ type: t }) => t === 'WORKFLOW_SUSPENDED'),
  );
  await first.stop();

  const second = await w.client([strict]);
  await second.signalWorkflow(handle.workflowId, 'go', 'gone');
  await until(() => w.engine.count('ReleaseClaim') > 0);
  const [line] = w.logger.at('error');
  expect(line).toMatch(
    /^workflow order [-0-9a-f]+: parked for \d+ s: The input of the workflow "order" does not fit/,
  );
  await second.stop();
  expect(await w.eventTypes(handle.workflowId)).not.toContain('WORKFLOW_EXECUTION_FAILED');
});

test('schemas that are asynchronous: refused in workflow code, awaited in tasks', async () => {
  const w = world();
  const slow = z.number().refine(async (n) => n > 0, 'too little');
  const charge = task({ name: 'charge', input: slow, output: slow, run: (_ctx, n) => n - 1 });
  const byName = workflow({ name: 'byName', run: (ctx, n: number) => ctx.scheduleByName('charge', n) });
  const byDefinition = workflow({ name: 'byDefinition', run: (ctx, n: number) => ctx.task(charge, n) });
  const asynchronous = workflow({ name: 'asynchronous', input: slow, run: () => null });
  const client = await w.client([byName, byDefinition, charge]);
  expect(await client.executeWorkflow(byName, 2)).toBe(1);
  const side = async (n: number) => (await failureOf(client.executeWorkflow(byName, n))).message;
  expect(await side(1)).toContain(
    'The output of the task "charge" does not fit its schema: too little (at $)',
  );
  expect(await side(0)).toContain(
    'The input of the task "charge" does not fit its schema: too little (at $)',
  );
  expect((await failureOf(client.executeWorkflow(byDefinition, 2))).message).toContain(
    'The input schema of the task "charge" is asynchronous',
  );
  expect(await failureOf(client.startWorkflow(asynchronous, 2))).toBeInstanceOf(ConfigurationError);
});

test('hooks of tasks get what the schemas made', async () => {
  const w = world();
  const seen: unknown[] = [];
  const charge = task({
    name: 'charge',
    input: z.object({ n: z.number().default(1) }),
    output: z.string().transform((text) => `${text}!`),
    hooks: {
      onStart: (_ctx, input) => void seen.push(input.n),
      onSuccess: (_ctx, input, output) => void seen.push(input.n, output),
    },
    run: (_ctx: TaskContext, { n }) => String(n),
  });
  const order = workflow({ name: 'order', run: (ctx) => ctx.task(charge, {}) });
  const client = await w.client([order, charge]);
  expect(await client.executeWorkflow(order)).toBe('1!');
  expect(seen).toEqual([1, 1, '1!']);
});

test('an error names ten issues and counts the others', () => {
  const issues = Array.from({ length: 12 }, (_, index) => ({ message: `no ${index}`, path: `$[${index}]` }));
  const { message } = new ValidationError('task "t"', 'output', issues);
  expect(message).toMatch(/: no 0 \(at \$\[0\]\); .*; no 9 \(at \$\[9\]\); 2 more$/);
});

describe('JSON Schema', () => {
  const input = z.object({ n: z.number().default(1) });

  test('of each side, where the library tells it', () => {
    expect(JSON.parse(jsonSchemaOf(input, 'input') ?? '')).toMatchObject({
      properties: { n: { type: 'number' } },
    });
    expect(JSON.parse(jsonSchemaOf(input, 'input') ?? '')).not.toHaveProperty('required');
    expect(JSON.parse(jsonSchemaOf(input, 'output') ?? '')).toMatchObject({ required: ['n'] });
    const valibot = toStandardJsonSchema(v.object({ n: v.number() }));
    expect(JSON.parse(jsonSchemaOf(valibot, 'input') ?? '')).toMatchObject({ required: ['n'] });
    expect(JSON.parse(jsonSchemaOf(type({ n: 'number' }), 'input') ?? '')).toMatchObject({ required: ['n'] });
  });

  test('is left out where there is none', () => {
    expect(jsonSchemaOf(undefined, 'input')).toBeUndefined();
    expect(jsonSchemaOf(v.number(), 'input')).toBeUndefined();
    expect(jsonSchemaOf(z.date(), 'input')).toBeUndefined();
  });
});

describe('types', () => {
  test('flow from schemas to the definition', () => {
    const input = z.object({ n: z.number().default(1) });
    const output = z.coerce.date();
    const both = workflow({
      name: 'w',
      input,
      output,
      run: async (_ctx, given) => {
        expectTypeOf(given).toEqualTypeOf<{ n: number }>();
        return 'today';
      },
    });
    expectTypeOf(both).toEqualTypeOf<WorkflowDefinition<{ n?: number | undefined }, Date>>();
    const inputOnly = workflow({ name: 'w', input, run: (_ctx, { n }) => n });
    expectTypeOf(inputOnly).toEqualTypeOf<WorkflowDefinition<{ n?: number | undefined }, number>>();
    const outputOnly = workflow({ name: 'w', output, run: (_ctx, n: number) => n });
    expectTypeOf(outputOnly).toEqualTypeOf<WorkflowDefinition<number, Date>>();

    const taskOfBoth = task({ name: 't', input, output, run: async (_ctx, { n }) => n });
    expectTypeOf(taskOfBoth).toEqualTypeOf<TaskDefinition<{ n?: number | undefined }, Date>>();
    const taskOfInput = task({ name: 't', input, run: (_ctx, { n }) => n });
    expectTypeOf(taskOfInput).toEqualTypeOf<TaskDefinition<{ n?: number | undefined }, number>>();
    const taskOfOutput = task({ name: 't', output, run: (_ctx, n: number) => n });
    expectTypeOf(taskOfOutput).toEqualTypeOf<TaskDefinition<number, Date>>();

    type Check = (client: FlovynClient, ctx: WorkflowContext) => Promise<void>;
    const check: Check = async (client, ctx) => {
      expectTypeOf(await client.executeWorkflow(both, {})).toEqualTypeOf<Date>();
      expectTypeOf(await client.getWorkflowHandle('id', both)).toEqualTypeOf<Date>();
      expectTypeOf(await ctx.task(taskOfBoth, {})).toEqualTypeOf<Date>();
      // @ts-expect-error -- the input does not fit the schema
      await client.startWorkflow(both, { n: '1' });
      // @ts-expect-error -- the input does not fit the schema
      await ctx.task(taskOfInput, 1);
    };
    expect(check).toBeTypeOf('function');
  });

  test('refuse functions that do not fit the schemas', () => {
    // @ts-expect-error -- the function gives no number
    workflow({ name: 'w', output: positive, run: async () => 'x' });
    // @ts-expect-error -- the function takes no number
    task({ name: 't', input: positive, run: (_ctx, text: string) => text });
    expect(true).toBe(true);
  });
});
