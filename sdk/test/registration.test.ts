import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { NotFoundError } from '../src/errors.js';
import { Method } from '../src/rpc/methods.js';
import { task } from '../src/task/define.js';
import type { ConflictEvent } from '../src/worker/events.js';
import { workflow } from '../src/workflow/define.js';
import { ManualClock } from './support/manual-clock.js';
import { nestedFields } from './support/protobuf.js';
import { hidden, until, type World, world } from './support/world.js';

/** Fields of the capabilities in the contract. */
const [WORKFLOWS, TASKS] = [8, 9];

/** The first registration that goes out from now on. */
function registration(w: World): { bytes: Uint8Array } {
  const seen: { bytes: Uint8Array } = { bytes: new Uint8Array() };
  const { intercept } = w.engine;
  w.engine.intercept = (method, next, request) => {
    if (method === Method.RegisterWorker) seen.bytes = request;
    return intercept(method, next, request);
  };
  return seen;
}

test('a workflow is registered with its version, the hash of both, and its schemas', async () => {
  const w = world();
  const seen = registration(w);
  const input = z.object({ id: z.string(), n: z.number().default(1) });
  const order = workflow({
    name: 'order',
    version: '2.1',
    input,
    output: z.string(),
    run: (_ctx, { id }) => id,
  });
  const charge = task({ name: 'charge', input: z.string(), run: (_ctx, id) => id.length });
  await w.client([order, charge]);
  const fields = nestedFields(seen.bytes, [WORKFLOWS]);
  expect(fields).toMatchObject({
    1: 'order',
    9: '2.1',
    10: createHash('sha256').update('order:2.1').digest('hex'),
  });
  expect(JSON.parse(String(fields[11]))).toMatchObject({ type: 'object', required: ['id'] });
  expect(JSON.parse(String(fields[12]))).toMatchObject({ type: 'string' });
  const taskFields = nestedFields(seen.bytes, [TASKS]);
  expect(JSON.parse(String(taskFields[8]))).toMatchObject({ type: 'string' });
  expect(taskFields[9]).toBeUndefined();
});

test('without a version and schemas the default version is registered, and none', async () => {
  const w = world();
  const seen = registration(w);
  await w.client([workflow({ name: 'plain', run: () => null })]);
  const fields = nestedFields(seen.bytes, [WORKFLOWS]);
  expect(fields).toMatchObject({ 9: '1.0.0', 10: createHash('sha256').update('plain:1.0.0').digest('hex') });
  expect([fields[11], fields[12]]).toEqual([undefined, undefined]);
});

test('what other workers have registered differently is one warning and one event, however often it is answered', async () => {
  const w = world();
  const clock = new ManualClock();
  const conflict = (field: number, kind: string, reason: string) =>
    bytesField(field, Buffer.concat([bytesField(1, kind), bytesField(2, reason), bytesField(3, 'other')]));
  w.engine.intercept = async (method, next) => {
    // The server forgets the worker each time that it gives a sign of life.
    if (method === Method.SendHeartbeat) throw new NotFoundError('Worker', 'it');
    const answer = await next();
    if (method !== Method.RegisterWorker) return answer;
    const conflicts = [
      conflict(4, 'order', 'another content hash'),
      conflict(5, 'charge', 'another timeout'),
    ];
    return { ...answer, body: Buffer.concat([answer.body, ...conflicts]) };
  };
  const order = workflow({ name: 'order', run: () => null });
  const client = await w.client([order], hidden({ clock }));
  const events: ConflictEvent[] = [];
  client.worker?.on('conflict', (event) => void events.push(event));
  expect(w.logger.at('warn')).toEqual([
    'other workers have registered differently: workflow "order" (another content hash), task "charge" (another timeout)',
  ]);
  await client.stop();
  await client.start();
  await until(() => w.engine.count('RegisterWorker') === 2);
  clock.advance(20_000);
  await until(() => w.engine.count('RegisterWorker') === 3);
  await w.quiet();
  expect(w.logger.at('warn')).toHaveLength(2);
  expect(events).toEqual([
    {
      conflicts: [
        { type: 'workflow', kind: 'order', reason: 'another content hash', existingWorkerId: 'other' },
        { type: 'task', kind: 'charge', reason: 'another timeout', existingWorkerId: 'other' },
      ],
    },
  ]);
});

function bytesField(field: number, content: Buffer | string): Buffer {
  const bytes = Buffer.from(content as string);
  return Buffer.concat([Buffer.from([field * 8 + 2, bytes.length]), bytes]);
}
