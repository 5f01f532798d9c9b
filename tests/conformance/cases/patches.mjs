import { echo, noteEachRun, suite } from '../tools.mjs';
import { same } from '../harness.mjs';

// Changed code, and what a workflow knows of itself.

suite.check('patch: a new execution takes the new way, in every replay', {
  run: async (ctx) => {
    const seen = [ctx.patched('change-1')];
    await ctx.task(echo, null);
    for (let n = 0; n < 2; n += 1) seen.push(ctx.patched('change-1'));
    ctx.deprecatePatch('change-2');
    await ctx.task(echo, null);
    noteEachRun(ctx, seen.join());
    return seen;
  },
  gives: [true, true, true],
  then: ({ notes }) => same([...new Set(notes)], ['true,true,true']),
});

suite.check('info: what a workflow knows of itself', {
  run: async (ctx) => {
    const { workflowExecutionId, workflowKind, attempt, parentExecutionId, historyLength, historyBytes } =
      ctx.info;
    return [
      workflowExecutionId === ctx.workflowExecutionId,
      workflowKind.startsWith('case-'),
      attempt,
      parentExecutionId ?? null,
      historyLength > 0,
      historyBytes > 0,
    ];
  },
  gives: [true, true, 1, null, true, true],
});
