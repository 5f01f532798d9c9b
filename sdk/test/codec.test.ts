import { expect, test } from 'vitest';
import { decodeOne, decodeText, encodeOne, encodeText, type PayloadCodec } from '../src/codec.js';
import { Duration } from '../src/duration.js';
import { TaskFailed } from '../src/errors.js';
import { task } from '../src/task/define.js';
import { workflow } from '../src/workflow/define.js';
import { failureOf } from './support/failure.js';
import { hidden, until, world } from './support/world.js';

interface Envelope {
  readonly __codec: 'test';
  readonly data: string;
}

/** Hides payloads by writing them in base64, and takes its time. */
const codec: PayloadCodec = {
  async encode(payloads) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    return payloads.map((json) =>
      JSON.stringify({ __codec: 'test', data: Buffer.from(json).toString('base64') }),
    );
  },
  async decode(payloads) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    return payloads.map((json) => {
      const value = JSON.parse(json) as Partial<Envelope> | null;
      return value?.__codec === 'test' ? Buffer.from(value.data ?? '', 'base64').toString() : json;
    });
  },
};

test('an asynchronous codec sees every payload once on its way out and in', async () => {
  const w = world();
  const shout = task({ name: 'shout', run: (_ctx, secret: string) => `${secret}!` });
  const failing = task({
    name: 'failing',
    run: () => {
      throw new TaskFailed('secret failure', '', false);
    },
  });
  const secrets = workflow({
    name: 'secrets',
    run: async (ctx, secret: string) => {
      ctx.set('state', `${secret} state`);
      const operation = await ctx.run('op', () => `${secret} operation`);
      const failure = await ctx.run('bad', () => Promise.reject(new TypeError('secret error'))).catch(String);
      const shouted = await ctx.task(shout, secret);
      const refused = await ctx.task(failing).catch(String);
      await ctx.sleep(Duration.milliseconds(1));
      const approval = await ctx.promise<string>('approval');
      const rejected = await ctx.promise('second').catch(String);
      return [ctx.get('state'), operation, failure, shouted, refused, approval, rejected];
    },
  });
  const client = await w.client([secrets, shout, failing], hidden({ codec }));
  const { handle } = await client.startWorkflow(secrets, 'secret');
  const created = async () =>
    (await w.eventTypes(handle.workflowId)).filter((type) => type === 'PROMISE_CREATED').length;
  await until(async () => (await created()) === 1);
  await client.resolvePromise(`${handle.workflowId}:approval`, 'secret approval');
  await until(async () => (await created()) === 2);
  await client.rejectPromise(`${handle.workflowId}:second`, 'secret rejection');

  expect(await handle.result()).toEqual([
    'secret state',
    'secret operation',
    'TypeError: secret error',
    'secret!',
    'TaskFailed: secret failure',
    'secret approval',
    'PromiseRejected: Promise "second" was rejected: secret rejection',
  ]);
  const history = JSON.stringify(await w.history(handle.workflowId));
  expect(history).not.toMatch(/secret (state|operation|error|failure|approval|rejection)|secret!/);
});

test('the error of a failed workflow is hidden too', async () => {
  const w = world();
  const failing = workflow({
    name: 'failing',
    run: () => {
      throw new Error('secret end');
    },
  });
  const client = await w.client([failing], hidden({ codec }));
  const { handle } = await client.startWorkflow(failing);
  const error = await failureOf(handle.result());
  expect(error.message).toBe('secret end');
  expect((error.cause as Error).stack).toContain('secret end');
  expect(JSON.stringify(await w.history(handle.workflowId))).not.toContain('secret end');
});

test('without a codec everything stays as it is', async () => {
  expect(await encodeOne(undefined, '1')).toBe('1');
  expect(await decodeOne(undefined, '1')).toBe('1');
  expect(await encodeText(undefined, 'text')).toBe('text');
  expect(await decodeText(undefined, 'text')).toBe('text');
});

test('texts that nobody encoded come through', async () => {
  for (const text of ['plain', '{"a":1}', '{broken', '"quoted"', '']) {
    expect(await decodeText(codec, text)).toBe(text);
    expect(await decodeText(codec, await encodeText(codec, text))).toBe(text);
  }
});

test('a codec that loses a payload is told so', async () => {
  const losing: PayloadCodec = { encode: async () => [], decode: async () => [] };
  expect((await failureOf(encodeOne(losing, '1'))).message).toBe(
    'A codec must give as many payloads as it got: expected 1, got 0',
  );
});
