import { describe, expectTypeOf, test } from 'vitest';
import { Duration } from '../src/duration.js';
import { task } from '../src/task/define.js';
import type {
  MockOptions,
  MockWorkflowContext,
  MockWorkflowContextOptions,
  TrackedChildWorkflow,
  TrackedOperation,
  TrackedPromise,
  TrackedTask,
  TrackedTimer,
} from '../src/testing/index.js';
import type { WorkflowContext } from '../src/workflow/context-types.js';
import { workflow } from '../src/workflow/define.js';

/*
 * What the compiler says of tests with a `MockWorkflowContext`. The type checker is what makes these fail; the bodies are
 * never called.
 */

declare const ctx: MockWorkflowContext;

/** Compiled, never run: nothing in it exists. */
function compiled(name: string, body: () => unknown): void {
  test(name, () => {
    expectTypeOf(body).toBeFunction();
  });
}

interface Receipt {
  at: Date;
  cents: bigint;
  note?: string;
  how: { kind: 'card'; number: string } | { kind: 'invoice'; days: 14 | 30 };
}

const pay = task({
  name: 'pay',
  run: async (_ctx, id: string): Promise<Receipt> => ({
    at: new Date(),
    cents: 1n,
    how: { kind: 'card', number: id },
  }),
});
const tick = task({ name: 'tick', run: () => 'tick' as const });
const quiet = task({ name: 'quiet', run: async () => {} });
const child = workflow({ name: 'child', run: async (_ctx, n: number) => ({ n }) });

test('it is a context, which a workflow takes as it is', () => {
  expectTypeOf<MockWorkflowContext>().toExtend<WorkflowContext>();
  expectTypeOf<Parameters<typeof child.run>>().toEqualTypeOf<[ctx: WorkflowContext, input: number]>();
});

describe('results', () => {
  compiled('are those of the definition, or an error', () => {
    const how = { kind: 'invoice', days: 30 } as const;
    ctx.mockTaskResult(pay, { at: new Date(), cents: 5n, how });
    ctx.mockTaskResult(pay, { at: new Date(), cents: 5n, how, note: 'fast' }, { after: Duration.days(1) });
    ctx.mockTaskResult(pay, new RangeError('declined')).mockTaskResult(tick, 'tick');
    ctx.mockTaskResult(quiet, undefined);
    ctx.mockChildWorkflowResult(child, { n: 1 }).mockChildWorkflowResult(child, new Error('no'));
    // @ts-expect-error a part of the result is missing
    ctx.mockTaskResult(pay, { at: new Date(), cents: 5n });
    // @ts-expect-error no invoice has 15 days
    ctx.mockTaskResult(pay, { at: new Date(), cents: 5n, how: { kind: 'invoice', days: 15 } });
    // @ts-expect-error another text
    ctx.mockTaskResult(tick, 'tock');
    // @ts-expect-error a number where nothing comes back
    ctx.mockTaskResult(quiet, 5);
    // @ts-expect-error another member
    ctx.mockChildWorkflowResult(child, { m: 1 });
    // @ts-expect-error a name: that is mockTaskResultByName
    ctx.mockTaskResult('pay', 5);
    // @ts-expect-error a workflow is no task
    ctx.mockTaskResult(child, { n: 1 });
    // @ts-expect-error a number, of which nobody knows the unit
    ctx.mockTaskResult(tick, 'tick', { after: 5 });
  });

  compiled('by name are taken on trust', () => {
    ctx.mockTaskResultByName('pay', 5).mockChildWorkflowResultByName('child', null);
    ctx
      .mockOperationResult('op', 1)
      .mockSignal('s')
      .mockPromiseResolution('p')
      .mockPromiseRejection('q', 'no');
    ctx.mockPromiseRejection('q', new Error('no')).markCancelled().markCancelled('enough');
    // @ts-expect-error a reason is a text or an error
    ctx.mockPromiseRejection('q', 5);
  });
});

test('what is tracked can be read only', () => {
  expectTypeOf<MockWorkflowContext['executedTasks']>().toEqualTypeOf<readonly TrackedTask[]>();
  expectTypeOf<MockWorkflowContext['startedTimers']>().toEqualTypeOf<readonly TrackedTimer[]>();
  expectTypeOf<MockWorkflowContext['createdPromises']>().toEqualTypeOf<readonly TrackedPromise[]>();
  expectTypeOf<MockWorkflowContext['startedChildWorkflows']>().toEqualTypeOf<
    readonly TrackedChildWorkflow[]
  >();
  expectTypeOf<MockWorkflowContext['executedOperations']>().toEqualTypeOf<readonly TrackedOperation[]>();
  expectTypeOf<TrackedTimer['firedAt']>().toEqualTypeOf<Date | undefined>();
  expectTypeOf<MockWorkflowContextOptions['currentTime']>().toEqualTypeOf<Date | undefined>();
  expectTypeOf<MockOptions['after']>().toEqualTypeOf<Duration | undefined>();
});
