import { describe, expectTypeOf, test } from 'vitest';

import {
  type CancellablePromise,
  type ChildWorkflowHandle,
  Duration,
  type FlovynClient,
  type StartedWorkflow,
  task,
  type TaskContext,
  type TaskDefinition,
  type TaskHandle,
  workflow,
  type WorkflowContext,
  type WorkflowDefinition,
  type WorkflowHandle,
} from '../src/index.js';

/*
 * What the compiler says of programs: types flow from a definition to wherever it is used, and wrong use is refused. The
 * type checker is what makes these fail (`tsc` of the lint suite): the bodies are never called.
 */

declare const ctx: WorkflowContext;
declare const client: FlovynClient;

/** Compiled, never run: nothing in it exists. */
function compiled(name: string, body: () => unknown): void {
  test(name, () => {
    expectTypeOf(body).toBeFunction();
  });
}

type Payment = { kind: 'card'; number: string } | { kind: 'invoice'; days: 14 | 30 };
interface Order {
  id: string;
  payment: Payment;
  note?: string;
  placedAt: Date;
  cents: bigint;
}
interface Tree {
  value: number;
  children: Tree[];
}

const pay = task({
  name: 'pay',
  run: async (_ctx, order: Order) => ({ paid: order.cents, at: order.placedAt }),
});
const walk = task({ name: 'walk', run: (_ctx, tree: Tree): Tree => tree });
const tick = task({ name: 'tick', run: async () => 'tick' as const });
const optional = task({ name: 'optional', run: (_ctx, limit?: number) => limit ?? 0 });
const order = workflow({ name: 'order', run: async (_ctx, input: Order) => input.payment });
const quiet = workflow({ name: 'quiet', run: async () => {} });

describe('definitions', () => {
  test('infer input and output from run', () => {
    expectTypeOf(pay).toEqualTypeOf<TaskDefinition<Order, { paid: bigint; at: Date }>>();
    expectTypeOf(walk).toEqualTypeOf<TaskDefinition<Tree, Tree>>();
    expectTypeOf(order).toEqualTypeOf<WorkflowDefinition<Order, Payment>>();
  });

  test('take both type arguments, and methods as well as functions', () => {
    const echo = workflow<{ message: string }, { length: number }>({
      name: 'echo',
      async run(context, input) {
        expectTypeOf(context).toEqualTypeOf<WorkflowContext>();
        expectTypeOf(input).toEqualTypeOf<{ message: string }>();
        return { length: input.message.length };
      },
    });
    expectTypeOf(echo).toEqualTypeOf<WorkflowDefinition<{ message: string }, { length: number }>>();
    const add = task<{ a: number }, number>({
      name: 'add',
      async run(context, { a }) {
        expectTypeOf(context).toEqualTypeOf<TaskContext>();
        return a;
      },
    });
    expectTypeOf(add).toEqualTypeOf<TaskDefinition<{ a: number }, number>>();
  });

  compiled('refuse what cannot be meant', () => {
    // @ts-expect-error the result is not what the type argument says
    workflow<string, number>({ name: 'w', run: async () => 'text' });
    // @ts-expect-error a name is needed
    task({ run: async () => 1 });
    // @ts-expect-error a function is needed
    workflow({ name: 'w' });
    // @ts-expect-error a number has no unit
    task({ name: 't', timeout: 5_000, run: async () => 1 });
    // @ts-expect-error there is no such option
    workflow({ name: 'w', retries: 3, run: async () => 1 });
  });

  test('options may be undefined where they may be left out', () => {
    const timeout: Duration | undefined = undefined;
    task({ name: 't', timeout, retry: undefined, description: undefined, run: async () => 1 });
    workflow({ name: 'w', version: undefined, handlers: undefined, run: async () => 1 });
  });

  test('generic helpers keep the types', () => {
    const twice = <T>(name: string, once: (value: T) => T): TaskDefinition<T, T> =>
      task({ name, run: (_ctx, value: T) => once(once(value)) });
    expectTypeOf(twice('double', (n: number) => n * 2)).toEqualTypeOf<TaskDefinition<number, number>>();
  });
});

describe('in workflow code', () => {
  compiled('handles have the type of the output', () => {
    const input: Order = { id: '1', payment: { kind: 'invoice', days: 14 }, placedAt: new Date(), cents: 1n };
    expectTypeOf(ctx.schedule(pay, input)).toEqualTypeOf<TaskHandle<{ paid: bigint; at: Date }>>();
    expectTypeOf(ctx.schedule(pay, input).result()).resolves.toEqualTypeOf<{ paid: bigint; at: Date }>();
    expectTypeOf(ctx.task(walk, { value: 1, children: [] })).resolves.toEqualTypeOf<Tree>();
    expectTypeOf(ctx.task(tick)).resolves.toEqualTypeOf<'tick'>();
    expectTypeOf(ctx.scheduleWorkflow(order, input)).toEqualTypeOf<ChildWorkflowHandle<Payment>>();
    expectTypeOf(ctx.workflow(quiet)).resolves.toEqualTypeOf<void>();
    expectTypeOf(ctx.scheduleByName('pay')).resolves.toEqualTypeOf<unknown>();
    expectTypeOf(ctx.scheduleByName<number>('pay', 1)).resolves.toEqualTypeOf<number>();
  });

  compiled('combinators keep tuples and unions apart', async () => {
    const both = await Promise.all([ctx.task(tick), ctx.task(optional, 3), ctx.sleep(Duration.seconds(1))]);
    expectTypeOf(both).toEqualTypeOf<['tick', number, void]>();
    expectTypeOf(await Promise.race([ctx.task(tick), ctx.task(optional)])).toEqualTypeOf<'tick' | number>();
    const payment = await ctx.workflow(order, {} as Order);
    if (payment.kind === 'invoice') expectTypeOf(payment.days).toEqualTypeOf<14 | 30>();
    else expectTypeOf(payment.number).toEqualTypeOf<string>();
  });

  compiled('state, promises, signals and operations are typed by their argument', () => {
    expectTypeOf(ctx.get('k')).toEqualTypeOf<unknown>();
    expectTypeOf(ctx.get<Date>('k')).toEqualTypeOf<Date | null>();
    expectTypeOf(ctx.promise<boolean>('p')).toEqualTypeOf<CancellablePromise<boolean>>();
    expectTypeOf(ctx.waitForSignal<{ n: number }>('s')).resolves.toEqualTypeOf<{ n: number }>();
    expectTypeOf(ctx.drainSignals<string>('s')).toEqualTypeOf<string[]>();
    expectTypeOf(ctx.run('op', async () => [1n])).resolves.toEqualTypeOf<bigint[]>();
    expectTypeOf(ctx.run('op', () => 'x')).resolves.toEqualTypeOf<string>();
    expectTypeOf(ctx.scope((inner) => inner.task(tick))).resolves.toEqualTypeOf<'tick'>();
    expectTypeOf(ctx.withTimeout(ctx.task(tick), Duration.seconds(1))).resolves.toEqualTypeOf<'tick'>();
  });

  compiled('refuses wrong input and wrong options', () => {
    // @ts-expect-error input is needed
    void ctx.schedule(pay);
    // @ts-expect-error the days are 14 or 30
    void ctx.task(pay, { id: '1', payment: { kind: 'invoice', days: 15 }, placedAt: new Date(), cents: 1n });
    // @ts-expect-error a date is no text
    void ctx.task(pay, { id: '1', payment: { kind: 'card', number: '1' }, placedAt: '2026', cents: 1n });
    // @ts-expect-error a number of cents is no bigint
    void ctx.task(pay, { id: '1', payment: { kind: 'card', number: '1' }, placedAt: new Date(), cents: 1 });
    // @ts-expect-error a child of the tree is a tree
    void ctx.task(walk, { value: 1, children: [{ value: 2 }] });
    // @ts-expect-error a workflow is no task
    void ctx.schedule(quiet);
    // @ts-expect-error a task is no workflow
    void ctx.scheduleWorkflow(tick);
    // @ts-expect-error there is no such option
    void ctx.task(tick, undefined, { retries: 3 });
    // @ts-expect-error a number has no unit
    void ctx.sleep(1_000);
    // @ts-expect-error a time, not a number
    void ctx.sleepUntil(0);
  });
});

describe('the client', () => {
  compiled('starts workflows with typed input, and gives typed handles', () => {
    const input: Order = { id: '1', payment: { kind: 'card', number: '1' }, placedAt: new Date(), cents: 1n };
    expectTypeOf(client.startWorkflow(order, input)).resolves.toEqualTypeOf<StartedWorkflow<Payment>>();
    expectTypeOf(client.executeWorkflow(order, input)).resolves.toEqualTypeOf<Payment>();
    expectTypeOf(client.executeWorkflow(quiet)).resolves.toEqualTypeOf<void>();
    expectTypeOf(client.getWorkflowHandle('id')).toEqualTypeOf<WorkflowHandle<unknown>>();
    expectTypeOf(client.getWorkflowHandle<number>('id').result()).resolves.toEqualTypeOf<number>();
    expectTypeOf(client.signalWorkflow('id', 'name', 1)).resolves.toEqualTypeOf<number>();
    const options = { workflowId: 'key', input, signalName: 'paid' };
    expectTypeOf(client.signalWithStartWorkflow(order, options)).resolves.toEqualTypeOf<{
      workflowHandle: WorkflowHandle<Payment>;
      workflowCreated: boolean;
    }>();
  });

  compiled('an awaited handle is its result', async () => {
    const { handle } = await client.startWorkflow(order, {} as Order);
    expectTypeOf(await handle).toEqualTypeOf<Payment>();
  });

  compiled('refuses wrong input', () => {
    // @ts-expect-error input is needed
    void client.startWorkflow(order);
    // @ts-expect-error this workflow takes another input
    void client.executeWorkflow(order, 'an id');
    // @ts-expect-error input is needed
    void client.signalWithStartWorkflow(order, { workflowId: 'key', signalName: 'paid' });
    // @ts-expect-error a task cannot be started
    void client.startWorkflow(tick);
  });

  test('workflows without input need none', () => {
    type Start = typeof client.startWorkflow<void, void>;
    expectTypeOf<Start>().toBeCallableWith(quiet);
    expectTypeOf<Start>().toBeCallableWith(quiet, undefined, { queue: 'q' });
  });
});
