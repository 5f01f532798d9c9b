import { Duration } from '../../src/duration.js';
import { task } from '../../src/task/define.js';
import { MockWorkflowContext } from '../../src/testing/index.js';

export const START = new Date('2026-01-01');

export const charge = task({
  name: 'charge',
  run: (_ctx, input: { id: string }) => `receipt of ${input.id}`,
});
export const refund = task({ name: 'refund', run: (_ctx, receipt: string) => receipt });
export const order = { id: 'o' };

/** A context whose time begins at `START`. */
export function mock(): MockWorkflowContext {
  return new MockWorkflowContext({ currentTime: START });
}

/** How long after the start it is, in milliseconds. */
export function passed(ctx: MockWorkflowContext): number {
  return ctx.currentTimeMillis() - START.getTime();
}

export function seconds(n: number): Duration {
  return Duration.seconds(n);
}
