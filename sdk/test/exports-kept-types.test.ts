import { describe, expectTypeOf, test } from 'vitest';
import {
  type ChildWorkflowOptions,
  Duration,
  type FlovynClient,
  type FlovynClientOptions,
  type InternalStreamEvent,
  JsonSerializer,
  type Logger,
  type PromiseOptions,
  type RetryPolicy,
  type Serializer,
  type StartWorkflowOptions,
  type StreamEvent,
  type StreamEventType,
  task,
  type TaskConfig,
  type TaskContext,
  type TaskDefinition,
  type TaskHandle,
  type TaskHooks,
  type TaskOptions,
  workflow,
  type WorkflowConfig,
  type WorkflowContext,
  type WorkflowDefinition,
  type WorkflowHandle,
  type WorkflowHandlers,
  type WorkflowHook,
} from '../src/index.js';

/*
 * What programs written for the existing SDK rely on while they are compiled. The type checker is what makes these fail:
 * the bodies are never called.
 */

interface Order {
  id: string;
  note?: string;
}
interface Receipt {
  total: bigint;
  at: Date;
}

declare const ctx: WorkflowContext;
declare const taskCtx: TaskContext;
declare const client: FlovynClient;

/** Compiled, never run: nothing in it exists. */
function compiled(name: string, body: () => unknown): void {
  test(name, () => {
    expectTypeOf(body).toBeFunction();
  });
}

describe('both generics by hand', () => {
  compiled('of definitions', () => {
    const run = async (_ctx: WorkflowContext, input: Order): Promise<Receipt> => ({
      total: BigInt(input.id),
      at: new Date(0),
    });
    expectTypeOf(workflow<Order, Receipt>({ name: 'w', run })).toEqualTypeOf<
      WorkflowDefinition<Order, Receipt>
    >();
    expectTypeOf(
      task<Order, Receipt>({ name: 't', run: async () => ({ total: 1n, at: new Date() }) }),
    ).toEqualTypeOf<TaskDefinition<Order, Receipt>>();
    const config: WorkflowConfig<Order, Receipt> = { name: 'w', run };
    expectTypeOf(workflow(config)).toEqualTypeOf<WorkflowDefinition<Order, Receipt>>();
    const taskConfig: TaskConfig<number, string> = { name: 't', run: async (_ctx, n) => String(n) };
    expectTypeOf(task(taskConfig)).toEqualTypeOf<TaskDefinition<number, string>>();
    // @ts-expect-error -- the function gives something else
    workflow<Order, Receipt>({ name: 'w', run: async () => 1 });
  });

  compiled('of calls', async () => {
    const order = workflow<Order, Receipt>({ name: 'w', run: async () => ({ total: 1n, at: new Date() }) });
    const charge = task<number, string>({ name: 't', run: async (_ctx, n) => String(n) });
    const { handle } = await client.startWorkflow<Order, Receipt>(order, { id: '1' });
    expectTypeOf(handle).toEqualTypeOf<WorkflowHandle<Receipt>>();
    expectTypeOf(await client.executeWorkflow<Order, Receipt>(order, { id: '1' })).toEqualTypeOf<Receipt>();
    expectTypeOf(client.getWorkflowHandle<Receipt>('id')).toEqualTypeOf<WorkflowHandle<Receipt>>();
    expectTypeOf(ctx.schedule<number, string>(charge, 1)).toEqualTypeOf<TaskHandle<string>>();
    expectTypeOf(await ctx.scheduleWorkflow<Order, Receipt>(order, { id: '1' })).toEqualTypeOf<Receipt>();
    expectTypeOf(await handle.query<number>('count')).toEqualTypeOf<number>();
    expectTypeOf(await ctx.promise<Date>('p')).toEqualTypeOf<Date>();
    expectTypeOf(await ctx.waitForSignal<Order>('s')).toEqualTypeOf<Order>();
    expectTypeOf(ctx.drainSignals<Order>('s')).toEqualTypeOf<Order[]>();
    expectTypeOf(await ctx.run<number>('op', async () => 1)).toEqualTypeOf<number>();
  });
});

describe('shapes', () => {
  compiled('of definitions', () => {
    expectTypeOf<WorkflowDefinition<Order, Receipt>['run']>().toEqualTypeOf<
      (ctx: WorkflowContext, input: Order) => Receipt | PromiseLike<Receipt>
    >();
    expectTypeOf<TaskDefinition<Order, Receipt>['run']>().toEqualTypeOf<
      (ctx: TaskContext, input: Order) => Receipt | PromiseLike<Receipt>
    >();
    const handlers: WorkflowHandlers = {
      signals: { add: async (_ctx, payload) => void payload.anything },
      queries: { count: (query, args) => [query.get('n'), query.stateKeys(), query.info, args.anything] },
    };
    const hooks: TaskHooks<Order, Receipt> = {
      onStart: async (_ctx, input) => void input.id,
      onSuccess: (_ctx, input, output) => void [input.id, output.total],
      onFailure: (_ctx, input, error) => void [input.id, error],
    };
    const retry: RetryPolicy = {
      maxRetries: 1,
      initialDelay: Duration.seconds(1),
      maxDelay: Duration.seconds(2),
      backoffMultiplier: 2,
    };
    const run = async (): Promise<Receipt> => ({ total: 1n, at: new Date() });
    const timeout = Duration.seconds(1);
    workflow({ name: 'w', description: 'd', version: '1', timeout, handlers, run });
    task<Order, Receipt>({ name: 't', description: 'd', timeout, retry, hooks, run });
  });

  compiled('of options, each of which may be undefined', () => {
    const options: StartWorkflowOptions[] = [
      { queue: 'q', workflowVersion: '1', idempotencyKey: 'k' },
      { queue: undefined, workflowVersion: undefined, idempotencyKey: undefined },
    ];
    const ofTasks: TaskOptions[] = [
      { queue: 'q', timeout: Duration.seconds(1), retry: {} },
      { queue: undefined, timeout: undefined, retry: undefined },
    ];
    const ofChildren: ChildWorkflowOptions[] = [
      { queue: 'q', prioritySeconds: 1 },
      { queue: undefined, prioritySeconds: undefined },
    ];
    const ofPromises: PromiseOptions[] = [
      { timeout: Duration.seconds(1), idempotencyKey: 'k' },
      { timeout: undefined, idempotencyKey: undefined },
    ];
    const ofRetries: RetryPolicy = {
      maxRetries: undefined,
      initialDelay: undefined,
      maxDelay: undefined,
      backoffMultiplier: undefined,
    };
    const ofHooks: TaskHooks = { onStart: undefined, onSuccess: undefined, onFailure: undefined };
    const ofClients: FlovynClientOptions = {
      serverUrl: 'http://localhost:9090',
      orgId: 'o',
      queue: undefined,
      workerToken: undefined,
      apiKey: undefined,
      httpUrl: undefined,
      orgSlug: undefined,
      logger: undefined,
      workflowWorkerOptions: undefined,
      taskWorkerOptions: { maxConcurrent: undefined, pollIntervalMs: undefined },
    };
    return [options, ofTasks, ofChildren, ofPromises, ofRetries, ofHooks, ofClients];
  });

  compiled('of hooks, loggers and serializers that programs write', () => {
    class Watching implements WorkflowHook {
      onStarted(workflowId: string, workflowKind: string, input: unknown): void {
        void [workflowId, workflowKind, input];
      }
      async onCompleted(workflowId: string, workflowKind: string, output: unknown): Promise<void> {
        void [workflowId, workflowKind, output];
      }
      onFailed(workflowId: string, workflowKind: string, error: Error): void {
        void [workflowId, workflowKind, error.message];
      }
    }
    const hooks: WorkflowHook[] = [new Watching(), { onStarted: undefined }];
    const loggers: Logger[] = [console];
    class Mine implements Serializer {
      serialize(value: unknown): string {
        return JSON.stringify(value);
      }
      deserialize<T>(payload: string): T {
        return JSON.parse(payload) as T;
      }
    }
    const serializers: Serializer[] = [new Mine(), new JsonSerializer()];
    return [hooks, loggers, serializers];
  });

  compiled('of stream events', async () => {
    expectTypeOf<StreamEventType>().toEqualTypeOf<'token' | 'progress' | 'data' | 'error'>();
    const events: StreamEvent[] = [
      { type: 'token', text: 'a' },
      { type: 'progress', progress: 0.5, details: 'half' },
      { type: 'data', data: { any: 'thing' } },
      { type: 'error', message: 'no', code: 'E' },
    ];
    for (const event of events) await taskCtx.stream(event);
    expectTypeOf<InternalStreamEvent['type']>().toEqualTypeOf<StreamEventType>();
    await taskCtx.streamToken('a');
    await taskCtx.streamProgress(0.5, 'half');
    await taskCtx.streamData({ any: 'thing' });
    await taskCtx.streamError('no', 'E');
  });

  compiled('of handles', async () => {
    const handle = client.getWorkflowHandle<Receipt>('id');
    expectTypeOf(handle.workflowId).toEqualTypeOf<string>();
    expectTypeOf(await handle).toEqualTypeOf<Receipt>();
    expectTypeOf(await handle.result()).toEqualTypeOf<Receipt>();
    expectTypeOf(await handle.signal('s', { any: 'thing' })).toEqualTypeOf<void>();
    expectTypeOf(await handle.cancel('why')).toEqualTypeOf<void>();
    // What a query gives is between the program and its handler.
    const answer = await handle.query('q', { any: 'thing' });
    expectTypeOf(answer).toBeAny();
    const scheduled: TaskHandle<number> = ctx.schedule(task({ name: 't', run: () => 1 }));
    expectTypeOf(scheduled.taskExecutionId).toEqualTypeOf<string>();
    expectTypeOf(await scheduled.result()).toEqualTypeOf<number>();
    expectTypeOf(await Promise.all([scheduled, scheduled])).toEqualTypeOf<[number, number]>();
  });

  compiled('of what the client gives', async () => {
    const order = workflow({ name: 'w', run: async (_ctx, input: Order) => input.id });
    const started = await client.signalWithStartWorkflow(order, {
      workflowId: 'k',
      input: { id: '1' },
      signalName: 's',
      signalValue: 1,
    });
    expectTypeOf(started.workflowHandle).toEqualTypeOf<WorkflowHandle<string>>();
    expectTypeOf(started.workflowCreated).toEqualTypeOf<boolean>();
    expectTypeOf(await client.signalWorkflow('id', 's', 1)).toEqualTypeOf<number>();
    expectTypeOf(await client.resolvePromise('id', 1)).toEqualTypeOf<void>();
    expectTypeOf(await client.rejectPromise('id', 'no')).toEqualTypeOf<void>();
    expectTypeOf(client.isStarted).toEqualTypeOf<boolean>();
    expectTypeOf(client.getActiveWorkflowExecutions()).toEqualTypeOf<string[]>();
    expectTypeOf(client.getActiveTaskExecutions()).toEqualTypeOf<string[]>();
  });

  compiled('of the context of a workflow', async () => {
    expectTypeOf(ctx.get<number>('k')).toEqualTypeOf<number | null>();
    expectTypeOf(ctx.stateKeys()).toEqualTypeOf<string[]>();
    expectTypeOf(ctx.currentTime()).toEqualTypeOf<Date>();
    expectTypeOf(ctx.currentTimeMillis()).toEqualTypeOf<number>();
    expectTypeOf(ctx.randomUUID()).toEqualTypeOf<string>();
    expectTypeOf(ctx.random()).toEqualTypeOf<number>();
    expectTypeOf(ctx.hasSignal('s')).toEqualTypeOf<boolean>();
    expectTypeOf(ctx.pendingSignalCount('s')).toEqualTypeOf<number>();
    expectTypeOf(ctx.isCancellationRequested).toEqualTypeOf<boolean>();
    expectTypeOf(await ctx.sleep(Duration.seconds(1))).toEqualTypeOf<void>();
    expectTypeOf(await ctx.sleepUntil(new Date())).toEqualTypeOf<void>();
    expectTypeOf(await ctx.scheduleByName<number>('t', { any: 'thing' })).toEqualTypeOf<number>();
    expectTypeOf(ctx.log).toEqualTypeOf<Logger>();
    expectTypeOf(await ctx.requestCancellation('id')).toEqualTypeOf<void>();
  });

  compiled('of the context of a task', async () => {
    expectTypeOf(taskCtx.taskExecutionId).toEqualTypeOf<string>();
    expectTypeOf(taskCtx.taskKind).toEqualTypeOf<string>();
    expectTypeOf(taskCtx.attempt).toEqualTypeOf<number>();
    expectTypeOf(taskCtx.isCancelled).toEqualTypeOf<boolean>();
    expectTypeOf(taskCtx.log).toEqualTypeOf<Logger>();
    expectTypeOf(await taskCtx.reportProgress(0.5)).toEqualTypeOf<void>();
    expectTypeOf(await taskCtx.heartbeat()).toEqualTypeOf<void>();
    expectTypeOf(taskCtx.checkCancellation()).toEqualTypeOf<void>();
    expectTypeOf(taskCtx.cancellationError()).toExtend<Error>();
  });
});
