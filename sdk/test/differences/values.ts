import { readFileSync } from 'node:fs';
import { vi } from 'vitest';
import { Duration } from '../../src/duration.js';
import { FlovynError, RpcError, WorkflowFailed } from '../../src/errors.js';
import { atLevel, consoleLogger, type Logger } from '../../src/logger.js';
import { deserialize, JsonSerializer, serialize } from '../../src/serde.js';
import { task } from '../../src/task/define.js';
import { workflow } from '../../src/workflow/define.js';
import { gives, type Observation, type Observations } from './difference.js';
import { world } from '../support/world.js';
import { child, echo, outcomeOf } from './play.js';

const core = readFileSync(new URL('../../src/generated/core_bg.wasm', import.meta.url));
const second = Duration.seconds(1);
const DATE_TEXT = '{"__type":"Date","value":"1970-01-01T00:00:00.000Z"}';

/** A duration, whatever made it. */
const lasting = (ms: number): unknown => ({ ms });

/** What a value becomes by a call: exactly this, and no longer what it was. */
const becomes = <T>(value: T, call: (value: T) => unknown, expected: unknown): Observation => {
  const called = gives(expected, () => call(value));
  return (given) => (given ? called(true) : value);
};

/** What is printed, or passed on, when something is logged at every level. */
function logged(use: (kept: Logger) => Logger): string[] {
  const lines: string[] = [];
  const keep =
    (level: string) =>
    (message: string): void =>
      void lines.push(`${level} ${message}`);
  const kept = { debug: keep('debug'), info: keep('info'), warn: keep('warn'), error: keep('error') };
  const logger = use(kept);
  for (const level of ['debug', 'info', 'warn', 'error'] as const) logger[level]('said');
  return lines;
}

/** What is printed on the console meanwhile. */
function printed(act: () => void): unknown[] {
  const lines: unknown[] = [];
  const { warn } = console;
  console.warn = (...parts: unknown[]) => void lines.push(parts.length > 0);
  try {
    act();
  } finally {
    console.warn = warn;
  }
  return lines;
}

/** What values and the functions on them do. */
export const values: Observations = {
  serialize: becomes(new Date(0), serialize, DATE_TEXT),
  deserialize: becomes('{"__type":"BigInt","value":"1"}', (text) => deserialize(text), 1n),
  'JsonSerializer.serialize': becomes(
    new Date(0),
    (value) => new JsonSerializer().serialize(value),
    DATE_TEXT,
  ),
  'JsonSerializer.deserialize': becomes('[1]', (text) => new JsonSerializer().deserialize(text), [1]),
  ready: async (given) => {
    vi.resetModules();
    vi.stubGlobal(
      'fetch',
      async () => new Response(core, { headers: { 'content-type': 'application/wasm' } }),
    );
    try {
      const page = await import('../../src/entry/browser.js');
      if (given) await page.ready();
      const client = new page.FlovynClient({ embedded: true });
      await client.start();
      const outcome = await outcomeOf(client.startWorkflow('w').then(() => 'started'));
      if (given) await client.stop();
      return outcome;
    } finally {
      vi.unstubAllGlobals();
      vi.resetModules();
    }
  },
  atLevel: (given) => logged((kept) => (given ? atLevel('warn', kept) : kept)),
  consoleLogger: (given) => printed(() => (given ? consoleLogger().warn('said') : undefined)),
  task: async (given) => {
    const w = world();
    await w.client(given ? [task({ name: 't', run: () => 1 }), child] : [child]);
    return w.engine.calls.includes('PollTask');
  },
  workflow: async (given) => {
    const w = world();
    await w.client(given ? [workflow({ name: 'w', run: () => 1 }), echo] : [echo]);
    return w.engine.calls.includes('PollWorkflow');
  },
  'Duration.milliseconds': becomes(5, (n) => Duration.milliseconds(n), lasting(5)),
  'Duration.seconds': becomes(5, (n) => Duration.seconds(n), lasting(5_000)),
  'Duration.minutes': becomes(5, (n) => Duration.minutes(n), lasting(300_000)),
  'Duration.hours': becomes(5, (n) => Duration.hours(n), lasting(18_000_000)),
  'Duration.days': becomes(5, (n) => Duration.days(n), lasting(432_000_000)),
  'Duration.toMilliseconds': becomes(second, (duration) => duration.toMilliseconds(), 1_000),
  'Duration.toWholeMilliseconds': becomes(0.2, (ms) => Duration.milliseconds(ms).toWholeMilliseconds(), 1),
  'Duration.toSeconds': becomes(second, (duration) => duration.toSeconds(), 1),
  'Duration.toMinutes': becomes(second, (duration) => duration.toMinutes(), 1 / 60),
  'Duration.toHours': becomes(second, (duration) => duration.toHours(), 1 / 3_600),
  'Duration.toDays': becomes(second, (duration) => duration.toDays(), 1 / 86_400),
  'Duration.add': becomes(second, (duration) => duration.add(second), lasting(2_000)),
  'Duration.subtract': becomes(second, (duration) => duration.subtract(second), lasting(0)),
  'Duration.multiply': becomes(second, (duration) => duration.multiply(2), lasting(2_000)),
  'Duration.divide': becomes(second, (duration) => duration.divide(2), lasting(500)),
  'Duration.isGreaterThan': becomes(
    second,
    (duration) => duration.isGreaterThan(Duration.milliseconds(1)),
    true,
  ),
  'Duration.isLessThan': becomes(second, (duration) => duration.isLessThan(Duration.days(1)), true),
  'Duration.isZero': becomes(second, (duration) => duration.isZero(), false),
  'Duration.isPositive': becomes(second, (duration) => duration.isPositive(), true),
  'Duration.isNegative': becomes(second, (duration) => duration.isNegative(), false),
  'Duration.compareTo': becomes(second, (duration) => duration.compareTo(Duration.days(1)), -1),
  'Duration.equals': becomes(second, (duration) => duration.equals(Duration.milliseconds(1_000)), true),
  'Duration.toString': becomes(second, (duration) => duration.toString(), '1s'),
  'FlovynError.from': becomes(new TypeError('no'), (thrown) => FlovynError.from(thrown).name, 'FlovynError'),
  'RecordedFailure.failureType': (given) =>
    new WorkflowFailed('id', 'no', undefined, given ? { failureType: 'TIMEOUT' } : {}).failureType,
  'RecordedFailure.remoteStack': (given) =>
    new WorkflowFailed('id', 'no', undefined, given ? { remoteStack: 'at order' } : {}).remoteStack,
  'RpcErrorOptions.cause': (given) => new RpcError('UNKNOWN', 'no', given ? { cause: 'that' } : {}).cause,
  'RpcErrorOptions.method': (given) => new RpcError('UNKNOWN', 'no', given ? { method: '/a/B' } : {}).method,
};
