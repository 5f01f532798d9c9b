import type { CallControl } from '../../src/client/call-control.js';
import { Duration } from '../../src/duration.js';
import type { StandardSchemaV1 } from '../../src/schema/standard-schema.js';
import type { Serializer } from '../../src/serde.js';
import { task } from '../../src/task/define.js';
import { workflow } from '../../src/workflow/define.js';
import { ManualClock } from '../support/manual-clock.js';
import { hidden, until, world } from '../support/world.js';
import { type Observation, type Observations, only } from './difference.js';
import { child, outcomeOf, play, registrationOf, waiting } from './play.js';

/** Takes numbers, and gives them doubled. */
const doubling: StandardSchemaV1<number, number> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) =>
      typeof value === 'number' ? { value: value * 2 } : { issues: [{ message: 'expected a number' }] },
  },
};

/** The same, which can also say more of itself or of what is wrong. */
function saying(more: Partial<StandardSchemaV1<number>['~standard']>): StandardSchemaV1<number> {
  return { '~standard': { ...doubling['~standard'], ...more } };
}

/** Writes every value as a text of its own. */
export const shouting: Serializer = {
  serialize: (value) => JSON.stringify({ shouted: value ?? null }),
  deserialize: <T>(text: string) =>
    ((JSON.parse(text || '{}') as { shouted?: unknown }).shouted ?? null) as T,
};

/** A task with a schema, or without, called by a workflow. */
const taskWith =
  (option: string): Observation =>
  (given) => {
    const checked = task<unknown, unknown>({
      name: 'checked',
      ...only(given, option, doubling),
      run: (_ctx: unknown, n: unknown) => n,
    } as never);
    return play({ run: (ctx) => outcomeOf(ctx.task(checked, 3)), definitions: [checked] });
  };

const workflowWith =
  (option: string): Observation =>
  async (given) => {
    const w = world();
    const checked = workflow<unknown, unknown>({
      name: 'checked',
      ...only(given, option, doubling),
      run: async (_ctx: unknown, n: unknown) => n,
    } as never);
    const client = await w.client([checked]);
    return outcomeOf(client.executeWorkflow(checked, 3));
  };

/** A call of a client that waits, with one of the two ways to end it before the execution does. */
const controlled =
  (option: 'callTimeout' | 'signal', value: (enough: AbortSignal) => unknown): Observation =>
  async (given) => {
    const [clock, enough] = [new ManualClock(), new AbortController()];
    const w = world({ clock });
    const client = await w.client([waiting], hidden({ clock }));
    const { handle } = await client.startWorkflow(waiting);
    const outcome = outcomeOf(handle.result(only(given, option, value(enough.signal)) as CallControl));
    await until(() => w.engine.count('AwaitResult') === 1);
    enough.abort(new Error('enough'));
    clock.advance(5);
    await handle.cancel('nobody waits any more', { force: true });
    return outcome;
  };

/** What is done with values where they come in and go out, and how calls are bounded. */
export const borders: Observations = {
  'TaskConfig.input': taskWith('input'),
  'TaskConfig.output': taskWith('output'),
  'WorkflowConfig.input': workflowWith('input'),
  'WorkflowConfig.output': workflowWith('output'),
  'TaskSettings.serializer': (given) => {
    const shouted = task({
      name: 'shouted',
      ...only(given, 'serializer', shouting),
      run: (_ctx, n: number) => n,
    });
    return play({ run: (ctx) => ctx.task(shouted, 3), definitions: [shouted] });
  },
  'WorkflowSettings.serializer': async (given) => {
    const w = world();
    const shouted = workflow({
      name: 'shouted',
      ...only(given, 'serializer', shouting),
      run: async (_ctx, n: number) => n,
    });
    const client = await w.client([shouted]);
    const { handle } = await client.startWorkflow(shouted, 3);
    return [await handle, (await w.history(handle.workflowId))[0]?.data['input']];
  },
  'FlovynClientOptions.serializer': async (given) => {
    const w = world();
    const client = await w.client([child], only(given, 'serializer', shouting));
    const { handle } = await client.startWorkflow(child, 3);
    return [await handle, (await w.history(handle.workflowId))[0]?.data['input']];
  },
  'StandardSchemaProps.jsonSchema': (given) => {
    const tell = (): Record<string, unknown> => ({ type: 'number' });
    const input = saying(only(given, 'jsonSchema', { input: tell, output: tell }));
    return registrationOf(workflow({ name: 'w', input, run: () => null }));
  },
  'StandardSchemaIssue.path': async (given) => {
    const issue = { message: 'expected a number', ...only(given, 'path', ['items', 3]) };
    const checked = workflow({
      name: 'checked',
      input: saying({ validate: () => ({ issues: [issue] }) }),
      run: () => null,
    });
    const client = await world().client([checked]);
    return outcomeOf(client.executeWorkflow(checked, 3));
  },
  'CallControl.callTimeout': controlled('callTimeout', () => Duration.milliseconds(5)),
  'CallControl.signal': controlled('signal', (enough) => enough),
  'WorkflowSettings.description': (given) =>
    registrationOf(workflow({ name: 'w', ...only(given, 'description', 'For people'), run: () => null })),
};
