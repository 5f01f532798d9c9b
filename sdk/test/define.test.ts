import { describe, expect, expectTypeOf, test } from 'vitest';
import './support/core.js';
import { FlovynClient } from '../src/client/client.js';
import type { WorkflowDescription } from '../src/client/description.js';
import type { WorkflowHandle } from '../src/client/handle.js';
import { Duration } from '../src/duration.js';
import { ConfigurationError } from '../src/errors.js';
import { task, type TaskDefinition } from '../src/task/define.js';
import type { WorkflowContext } from '../src/workflow/context-types.js';
import type {
  CancellablePromise,
  ChildWorkflowHandle,
  ScopeHandle,
  TaskHandle,
} from '../src/workflow/handle-types.js';
import type { QueryContext } from '../src/workflow/handlers.js';
import { workflow, type WorkflowDefinition } from '../src/workflow/define.js';

const run = () => null;

describe('definitions', () => {
  test('have the properties of their configuration', () => {
    const definition = workflow({ name: 'w', description: 'about', version: '2.1.0', run });
    expect(definition).toEqual({ name: 'w', description: 'about', version: '2.1.0', run });
    const timeout = Duration.seconds(1);
    const retry = { maxRetries: 1 };
    expect(task({ name: 't', timeout, retry, run })).toEqual({
      name: 't',
      description: undefined,
      timeout,
      retry,
      run,
    });
  });

  test.each([
    ['Workflow name is required', () => workflow({ run } as never)],
    ['Workflow name is required', () => workflow({ name: '', run })],
    ['Workflow name is required', () => workflow(undefined as never)],
    ['Workflow run function is required', () => workflow({ name: 'w' } as never)],
    ['Task name is required', () => task({ run } as never)],
    ['Task run function is required', () => task({ name: 't', run: 1 } as never)],
  ])('%s', (text, define) => {
    expect(define).toThrow(new ConfigurationError(text));
  });

  test.each([
    ['an unknown option', () => workflow({ name: 'w', run, nmae: 1 } as never), 'unknown option "nmae"'],
    [
      'no time',
      () => task({ name: 't', run, timeout: Duration.seconds(0) }),
      'timeout must be more than no time',
    ],
    [
      'no time for a workflow',
      () => workflow({ name: 'w', run, timeout: Duration.seconds(0) }),
      'timeout must be more than no time',
    ],
    [
      'a handler that is none',
      () => workflow({ name: 'w', run, handlers: { signals: { stop: 1 as never } } }),
      'handlers.signals["stop"] must be a function, got number',
    ],
    [
      'handlers of another kind',
      () => workflow({ name: 'w', run, handlers: { updates: {} } as never }),
      'unknown option "updates"',
    ],
    [
      'an input schema that is none',
      () => workflow({ name: 'w', run, input: {} } as never),
      'Workflow "w": input must be a Standard Schema',
    ],
    [
      'an output schema that is none',
      () => task({ name: 't', run, output: 1 } as never),
      'Task "t": output must be a Standard Schema',
    ],
    [
      'a serializer that is none',
      () => task({ name: 't', run, serializer: { serialize: String } } as never),
      'Task "t": serializer must be an object with the methods serialize and deserialize',
    ],
    ['a negative count', () => task({ name: 't', run, retry: { maxRetries: -1 } }), 'retry.maxRetries'],
    [
      'a shrinking pause',
      () => task({ name: 't', run, retry: { backoffMultiplier: 0.5 } }),
      'backoffMultiplier',
    ],
    [
      'a maximum below the start',
      () => task({ name: 't', run, retry: { initialDelay: Duration.days(1), maxDelay: Duration.hours(1) } }),
      'retry.maxDelay must be at least initialDelay',
    ],
  ])('%s is refused', (_name, define, text) => {
    expect(define).toThrow(ConfigurationError);
    expect(define).toThrow(text);
  });
});

describe('types', () => {
  type Order = { id: string; note?: string | undefined };
  const charge = task({ name: 'charge', run: async (_ctx, order: Order) => ({ receipt: order.id }) });
  const nothing = task({ name: 'nothing', run: () => 1 });
  const either = task({
    name: 'either',
    run: (_ctx, n: number | 'none'): Date | bigint => (n === 'none' ? 1n : new Date(n)),
  });
  const order = workflow({ name: 'order', run: async (ctx, input: Order) => ctx.task(charge, input) });
  const voidInput = workflow<void, string>({ name: 'void', run: () => 'x' });

  test('flow from run to the definition', () => {
    expectTypeOf(charge).toEqualTypeOf<TaskDefinition<Order, { receipt: string }>>();
    expectTypeOf(order).toEqualTypeOf<WorkflowDefinition<Order, { receipt: string }>>();
    expectTypeOf(workflow({ name: 'w', run: (ctx) => ctx.schedule(charge, { id: '1' }) })).toEqualTypeOf<
      WorkflowDefinition<unknown, { receipt: string }>
    >();
  });

  test('flow to schedule, handles and clients', () => {
    type Check = (ctx: WorkflowContext, client: FlovynClient) => Promise<void>;
    const check: Check = async (ctx, client) => {
      expectTypeOf(ctx.schedule(charge, { id: '1' })).toEqualTypeOf<TaskHandle<{ receipt: string }>>();
      expectTypeOf(ctx.task(either, 'none')).toEqualTypeOf<Promise<Date | bigint>>();
      expectTypeOf(ctx.schedule(nothing)).toEqualTypeOf<TaskHandle<number>>();
      expectTypeOf(ctx.run('op', async () => 5)).toEqualTypeOf<CancellablePromise<number>>();
      expectTypeOf(ctx.get<string>('key')).toEqualTypeOf<string | null>();
      expectTypeOf(
        await Promise.all([ctx.task(charge, { id: '1' }), ctx.sleep(Duration.seconds(1))]),
      ).toEqualTypeOf<[{ receipt: string }, void]>();
      const { handle } = await client.startWorkflow(order, { id: '1', note: undefined });
      expectTypeOf(handle).toEqualTypeOf<WorkflowHandle<{ receipt: string }>>();
      expectTypeOf(await handle).toEqualTypeOf<{ receipt: string }>();
      expectTypeOf(await client.executeWorkflow(voidInput)).toEqualTypeOf<string>();
      expectTypeOf(
        await client.executeWorkflow<Order, { receipt: string }>(order, { id: '1' }),
      ).toEqualTypeOf<{
        receipt: string;
      }>();
      // @ts-expect-error -- the input is not of the task's type
      void ctx.schedule(charge, { id: 1 });
      // @ts-expect-error -- the input is missing
      void ctx.schedule(charge);
      // @ts-expect-error -- the input is missing
      await client.startWorkflow(order);
      // @ts-expect-error -- no such option
      void ctx.schedule(charge, { id: '1' }, { priority: 1 });
    };
    expect(check).toBeTypeOf('function');
  });

  test('of handles, scopes, children and signals', () => {
    type Check = (ctx: WorkflowContext, client: FlovynClient) => Promise<void>;
    const check: Check = async (ctx, client) => {
      type Receipt = { receipt: string };
      expectTypeOf(ctx.sleep(Duration.seconds(1))).toEqualTypeOf<CancellablePromise<void>>();
      expectTypeOf(ctx.promise<Date>('p')).toEqualTypeOf<CancellablePromise<Date>>();
      expectTypeOf(ctx.waitForSignal<Order>('s')).toEqualTypeOf<CancellablePromise<Order>>();
      expectTypeOf(ctx.drainSignals<Order>('s')).toEqualTypeOf<Order[]>();
      expectTypeOf(ctx.scheduleWorkflow(order, { id: '1' })).toEqualTypeOf<ChildWorkflowHandle<Receipt>>();
      expectTypeOf(ctx.scheduleWorkflow(voidInput)).toEqualTypeOf<ChildWorkflowHandle<string>>();
      expectTypeOf(ctx.workflow(order, { id: '1' }, { name: 'n' })).toEqualTypeOf<Promise<Receipt>>();
      expectTypeOf(ctx.scheduleWorkflowByName<bigint>('w')).toEqualTypeOf<ChildWorkflowHandle<bigint>>();
      expectTypeOf(ctx.scope(async (inner) => inner.task(nothing))).toEqualTypeOf<ScopeHandle<number>>();
      expectTypeOf(ctx.scope(() => 'at once', { timeout: Duration.seconds(1) })).toEqualTypeOf<
        ScopeHandle<string>
      >();
      expectTypeOf(ctx.nonCancellable((inner) => inner.task(nothing))).toEqualTypeOf<Promise<number>>();
      expectTypeOf(ctx.withTimeout(ctx.task(either, 1), Duration.seconds(1))).toEqualTypeOf<
        Promise<Date | bigint>
      >();
      expectTypeOf(ctx.info.parentExecutionId).toEqualTypeOf<string | undefined>();
      const start = { workflowId: 'k', signalName: 's' };
      const started = await client.signalWithStartWorkflow(order, { ...start, input: { id: '1' } });
      expectTypeOf(started.workflowHandle).toEqualTypeOf<WorkflowHandle<Receipt>>();
      await client.signalWithStartWorkflow(voidInput, start);
      expectTypeOf(await started.workflowHandle.query<number>('q', 1)).toEqualTypeOf<number>();
      expectTypeOf(await started.workflowHandle.describe()).toEqualTypeOf<WorkflowDescription>();
      // @ts-expect-error -- the input of a new run is missing
      await client.signalWithStartWorkflow(order, start);
      // @ts-expect-error -- the input is not of the workflow's type
      void ctx.scheduleWorkflow(order, { id: 1 });
      // @ts-expect-error -- no such option
      void ctx.scheduleWorkflow(order, { id: '1' }, { timeout: Duration.seconds(1) });
      // @ts-expect-error -- a handle of a promise has no id of a task
      void ctx.promise('p').taskExecutionId;
    };
    expect(check).toBeTypeOf('function');
  });

  test('flow into handlers from their annotations', () => {
    const definition = workflow({
      name: 'w',
      handlers: {
        signals: {
          add: (ctx, item: Order) => {
            expectTypeOf(ctx).toEqualTypeOf<WorkflowContext>();
            ctx.set('item', item);
          },
        },
        queries: {
          item: (ctx) => {
            expectTypeOf(ctx).toEqualTypeOf<QueryContext>();
            // @ts-expect-error -- a query changes nothing
            ctx.set?.('item', 1);
            return ctx.get<Order>('item');
          },
        },
      },
      run: (_ctx, input: Order) => input.id,
    });
    expectTypeOf(definition).toEqualTypeOf<WorkflowDefinition<Order, string>>();
  });

  test('of any definition can be registered', () => {
    const client = new FlovynClient({ embedded: true });
    for (const definition of [charge, nothing, either]) client.registerTask(definition);
    for (const definition of [order, voidInput]) client.registerWorkflow(definition);
  });
});
