import { Duration } from '../../src/duration.js';
import { FlovynError, RpcError, WorkflowFailed } from '../../src/errors.js';
import { atLevel, consoleLogger, type Logger } from '../../src/logger.js';
import { deserialize, JsonSerializer, serialize } from '../../src/serde.js';
import { task } from '../../src/task/define.js';
import { workflow } from '../../src/workflow/define.js';
import type { Observation, Observations } from './difference.js';
import { world } from '../support/world.js';
import { child, echo } from './play.js';

const second = Duration.seconds(1);

/** What a value is, and what it becomes by a call. */
const becomes =
  <T>(value: T, call: (value: T) => unknown): Observation =>
  (given) =>
    given ? call(value) : value;

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
  serialize: becomes(new Date(0), serialize),
  deserialize: becomes('{"__type":"BigInt","value":"1"}', (text) => deserialize(text)),
  'JsonSerializer.serialize': becomes(new Date(0), (value) => new JsonSerializer().serialize(value)),
  'JsonSerializer.deserialize': becomes('[1]', (text) => new JsonSerializer().deserialize(text)),
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
  'Duration.milliseconds': becomes(5, (n) => Duration.milliseconds(n)),
  'Duration.seconds': becomes(5, (n) => Duration.seconds(n)),
  'Duration.minutes': becomes(5, (n) => Duration.minutes(n)),
  'Duration.hours': becomes(5, (n) => Duration.hours(n)),
  'Duration.days': becomes(5, (n) => Duration.days(n)),
  'Duration.toMilliseconds': becomes(second, (duration) => duration.toMilliseconds()),
  'Duration.toWholeMilliseconds': becomes(0.2, (ms) => Duration.milliseconds(ms).toWholeMilliseconds()),
  'Duration.toSeconds': becomes(second, (duration) => duration.toSeconds()),
  'Duration.toMinutes': becomes(second, (duration) => duration.toMinutes()),
  'Duration.toHours': becomes(second, (duration) => duration.toHours()),
  'Duration.toDays': becomes(second, (duration) => duration.toDays()),
  'Duration.add': becomes(second, (duration) => duration.add(second)),
  'Duration.subtract': becomes(second, (duration) => duration.subtract(second)),
  'Duration.multiply': becomes(second, (duration) => duration.multiply(2)),
  'Duration.divide': becomes(second, (duration) => duration.divide(2)),
  'Duration.isGreaterThan': becomes(second, (duration) => duration.isGreaterThan(Duration.milliseconds(1))),
  'Duration.isLessThan': becomes(second, (duration) => duration.isLessThan(Duration.days(1))),
  'Duration.isZero': becomes(second, (duration) => duration.isZero()),
  'Duration.isPositive': becomes(second, (duration) => duration.isPositive()),
  'Duration.isNegative': becomes(second, (duration) => duration.isNegative()),
  'Duration.compareTo': becomes(second, (duration) => duration.compareTo(Duration.days(1))),
  'Duration.equals': becomes(second, (duration) => duration.equals(Duration.milliseconds(1_000))),
  'Duration.toString': becomes(second, (duration) => duration.toString()),
  'FlovynError.from': becomes(new TypeError('no'), (thrown) => FlovynError.from(thrown)),
  'RecordedFailure.failureType': (given) =>
    new WorkflowFailed('id', 'no', undefined, given ? { failureType: 'TIMEOUT' } : {}).failureType,
  'RecordedFailure.remoteStack': (given) =>
    new WorkflowFailed('id', 'no', undefined, given ? { remoteStack: 'at order' } : {}).remoteStack,
  'RpcErrorOptions.cause': (given) => new RpcError('UNKNOWN', 'no', given ? { cause: 'that' } : {}).cause,
  'RpcErrorOptions.method': (given) => new RpcError('UNKNOWN', 'no', given ? { method: '/a/B' } : {}).method,
};
