import { expect, test } from 'vitest';
import { Duration } from '../src/duration.js';
import { ConnectionError, RpcError } from '../src/errors.js';
import { ClaimLost } from '../src/index.js';
import { Method } from '../src/rpc/methods.js';
import type { TaskContext } from '../src/task/context-types.js';
import { task } from '../src/task/define.js';
import { workflow } from '../src/workflow/define.js';
import { failureOf } from './support/failure.js';
import { hastyClock, hidden, type World, world } from './support/world.js';

const flow = workflow({
  name: 'flow',
  run: (ctx) =>
    ctx.scheduleByName('keeping', null, {
      retry: { maxRetries: 3, initialDelay: Duration.milliseconds(1) },
    }),
});

async function kept(w: World, run: (ctx: TaskContext) => unknown, options = {}): Promise<unknown> {
  const client = await w.client([flow, task({ name: 'keeping', run })], options);
  return client.executeWorkflow(flow);
}

test.each([[true], [false]])(
  'what an attempt has set, the next one finds: extensions %s',
  async (extensions) => {
    const seen: unknown[] = [];
    const look = async ({ state }: TaskContext): Promise<void> => {
      seen.push([await state.keys(), await state.get('at'), await state.get('done')]);
    };
    await kept(
      world(),
      async (ctx) => {
        await look(ctx);
        if (ctx.attempt === 1) {
          await ctx.state.set('done', { count: 1, big: 10n });
          await ctx.state.set('at', new Date(0));
          await ctx.state.set('done', { count: 2, big: 10n });
          throw new Error('again');
        }
        await ctx.state.clear('at');
        await look(ctx);
        await ctx.state.clearAll();
        await look(ctx);
      },
      { extensions },
    );
    expect(seen).toEqual([
      [[], null, null],
      [['at', 'done'], new Date(0), { count: 2, big: 10n }],
      [['done'], null, { count: 2, big: 10n }],
      [[], null, null],
    ]);
  },
);

test('tasks do not see the state of others', async () => {
  const both = workflow({
    name: 'both',
    run: (ctx) => Promise.all(['a', 'b'].map((value) => ctx.scheduleByName('keeping', value))),
  });
  const keeping = task({
    name: 'keeping',
    run: async ({ state }, value: string) => {
      await state.set('key', value);
      return state.get('key');
    },
  });
  const client = await world().client([both, keeping]);
  expect(await client.executeWorkflow(both)).toEqual(['a', 'b']);
});

test('a value that cannot be sent is refused, and the old one stays', async () => {
  const result = await kept(world(), async ({ state }) => {
    await state.set('key', 1);
    const error = await failureOf(state.set('key', { a: Symbol('s') }));
    return [error.name, error.message.includes('$.a'), await state.get('key')];
  });
  expect(result).toEqual(['SerializationError', true, 1]);
});

test.each<[string, (ctx: TaskContext) => Promise<unknown>]>([
  ['get', ({ state }) => state.get(1 as never)],
  ['set', ({ state }) => state.set(1 as never, 1)],
  ['clear', ({ state }) => state.clear(undefined as never)],
])('the key of %s must be a text', async (name, call) => {
  const w = world();
  const text = await kept(w, async (ctx) => (await failureOf(call(ctx))).message);
  expect(text).toMatch(new RegExp(`^ctx\\.state\\.${name}, key: expected a text, got`));
});

test('a server that cannot be reached is tried a few times, then the call rejects', async () => {
  const w = world();
  let isDown = true;
  w.engine.intercept = (method, next) => {
    if (method === Method.GetState && isDown) return Promise.reject(new ConnectionError('no server', 'here'));
    return next();
  };
  const result = await kept(
    w,
    async ({ state }) => {
      const error = await failureOf(state.get('key'));
      isDown = false;
      return [error.name, await state.get('key')];
    },
    hidden({ clock: hastyClock }),
  );
  expect(result).toEqual(['ConnectionError', null]);
  expect(w.engine.count('GetState')).toBe(5);
});

test('a call under a claim that is lost says so, and the signal fires', async () => {
  const w = world();
  const seen: unknown[] = [];
  w.engine.intercept = (method, next) => {
    if (method === Method.SetState && seen.length === 0)
      return Promise.reject(new RpcError('FAILED_PRECONDITION', 'no longer current'));
    return next();
  };
  const client = await w.client([
    flow,
    task({
      name: 'keeping',
      run: async ({ state, signal }) => {
        const error = await failureOf(state.set('key', 1));
        seen.push(error, signal.reason, await failureOf(state.keys()));
      },
    }),
  ]);
  await client.startWorkflow(flow);
  await expect.poll(() => seen.length).toBe(3);
  expect(seen[0]).toBeInstanceOf(ClaimLost);
  expect(seen).toEqual([seen[0], seen[0], seen[0]]);
  expect(w.engine.count('GetStateKeys')).toBe(0);
});
