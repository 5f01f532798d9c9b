import { expect, test } from 'vitest';
import { Duration } from '../src/duration.js';
import * as errors from '../src/errors.js';

const cause = new Error('the cause');

/** Instance, then what a program can read from it. */
const table: [errors.FlovynError, Record<string, unknown>][] = [
  [new errors.FlovynError('text', cause), { name: 'FlovynError', code: 'FLOVYN', message: 'text', cause }],
  [
    new errors.WorkflowSuspended(undefined, [1]),
    { name: 'WorkflowSuspended', code: 'WORKFLOW_SUSPENDED', message: 'Workflow suspended', commands: [1] },
  ],
  [
    new errors.WorkflowCancelled(),
    {
      name: 'WorkflowCancelled',
      code: 'WORKFLOW_CANCELLED',
      message: 'Workflow was cancelled',
      reason: undefined,
    },
  ],
  [new errors.WorkflowCancelled('text', 'why'), { message: 'text', reason: 'why' }],
  [
    new errors.WorkflowFailed('id', 'text', cause),
    { name: 'WorkflowFailed', code: 'WORKFLOW_FAILED', message: 'text', workflowId: 'id', cause },
  ],
  [
    new errors.QueryFailed('id', 'status', 'no order'),
    {
      name: 'QueryFailed',
      code: 'QUERY_FAILED',
      message: 'Query "status" failed: no order',
      workflowId: 'id',
      queryName: 'status',
    },
  ],
  [
    new errors.DeterminismViolation('text', { got: 1 }),
    { name: 'DeterminismViolation', code: 'VIOLATION', message: 'text', details: { got: 1 } },
  ],
  [
    new errors.TaskFailed('text', 'id'),
    { name: 'TaskFailed', code: 'TASK_FAILED', message: 'text', taskExecutionId: 'id', retryable: true },
  ],
  [new errors.TaskFailed('text', 'id', false, cause), { retryable: false, cause, nextRetryDelay: undefined }],
  [
    new errors.TaskFailed('text', 'id', true, cause, Duration.seconds(1)),
    { retryable: true, nextRetryDelay: Duration.seconds(1) },
  ],
  [
    new errors.TaskCancelled('id'),
    { name: 'TaskCancelled', code: 'TASK_CANCELLED', message: 'Task cancelled', taskExecutionId: 'id' },
  ],
  [new errors.TaskCancelled('id', 'text'), { message: 'text' }],
  [
    new errors.TaskTimeout('id', 5),
    {
      name: 'TaskTimeout',
      code: 'TASK_TIMEOUT',
      message: 'Task id timed out after 5 ms',
      taskExecutionId: 'id',
      timeoutMs: 5,
    },
  ],
  [
    new errors.HandleCancelled('timer "5 ms"', 'why'),
    {
      name: 'HandleCancelled',
      code: 'HANDLE_CANCELLED',
      message: 'The timer "5 ms" was cancelled: why',
      handle: 'timer "5 ms"',
      reason: 'why',
    },
  ],
  [new errors.HandleCancelled('scope'), { message: 'The scope was cancelled', reason: undefined }],
  [
    new errors.TimeoutError('ctx.scope', 5),
    { name: 'TimeoutError', code: 'TIMEOUT', message: 'ctx.scope timed out after 5 ms', timeoutMs: 5 },
  ],
  [
    new errors.PromiseTimeout('p', 5),
    {
      name: 'PromiseTimeout',
      code: 'PROMISE_TIMEOUT',
      message: 'Promise "p" timed out after 5 ms',
      promiseId: 'p',
      timeoutMs: 5,
    },
  ],
  [new errors.PromiseTimeout('p'), { message: 'Promise "p" timed out', timeoutMs: undefined }],
  [
    new errors.PromiseRejected('p', 'why'),
    {
      name: 'PromiseRejected',
      code: 'PROMISE_REJECTED',
      message: 'Promise "p" was rejected: why',
      promiseId: 'p',
      reason: 'why',
    },
  ],
  [
    new errors.ChildWorkflowFailed('id', 'text', cause),
    {
      name: 'ChildWorkflowFailed',
      code: 'CHILD_WORKFLOW_FAILED',
      message: 'text',
      childExecutionId: 'id',
      cause,
    },
  ],
  [
    new errors.ConnectionError('text', 'http://x', cause),
    { name: 'ConnectionError', code: 'UNAVAILABLE', message: 'text', serverUrl: 'http://x', cause },
  ],
  [
    new errors.AuthenticationError('text', cause),
    { name: 'AuthenticationError', code: 'UNAUTHENTICATED', message: 'text', cause },
  ],
  [
    new errors.AuthenticationError('text', new errors.RpcError('PERMISSION_DENIED', 'no')),
    { code: 'PERMISSION_DENIED', message: 'text' },
  ],
  [
    new errors.NotFoundError('Workflow', 'id'),
    {
      name: 'NotFoundError',
      code: 'NOT_FOUND',
      message: 'Workflow not found: id',
      resourceType: 'Workflow',
      resourceId: 'id',
    },
  ],
  [
    new errors.ConfigurationError('text'),
    { name: 'ConfigurationError', code: 'CONFIGURATION', message: 'text' },
  ],
  [new errors.Unsupported('text'), { name: 'Unsupported', code: 'UNSUPPORTED', message: 'text' }],
  [
    new errors.SerializationError('a symbol cannot be sent', '$.a'),
    {
      name: 'SerializationError',
      code: 'SERIALIZATION',
      message: 'a symbol cannot be sent (at $.a)',
      path: '$.a',
    },
  ],
  [
    new errors.ValidationError('task "t"', 'input', [{ message: 'expected a number', path: '$.n' }]),
    {
      name: 'ValidationError',
      code: 'VALIDATION',
      message: 'The input of the task "t" does not fit its schema: expected a number (at $.n)',
      subject: 'task "t"',
      side: 'input',
      issues: [{ message: 'expected a number', path: '$.n' }],
      retryable: false,
    },
  ],
  [
    new errors.RpcError('ABORTED', 'text', { method: '/a/B', cause }),
    { name: 'RpcError', code: 'ABORTED', grpcCode: 10, message: 'text', method: '/a/B', cause },
  ],
  [
    new errors.CoreError('HISTORY_GAP', 'text', cause),
    { name: 'CoreError', code: 'HISTORY_GAP', message: 'text', cause },
  ],
  [
    new errors.CoreTrapped('text', cause),
    { name: 'CoreTrapped', code: 'CORE_TRAPPED', message: 'text', cause },
  ],
  [
    new errors.EngineFailed('text', cause),
    { name: 'EngineFailed', code: 'ENGINE_FAILED', message: 'text', cause },
  ],
];

test.each(table)('%s', (error, expected) => {
  expect(error).toBeInstanceOf(errors.FlovynError);
  expect(error).toBeInstanceOf(Error);
  for (const [property, value] of Object.entries(expected))
    expect(Reflect.get(error, property), property).toEqual(value);
  expect(error.stack?.startsWith(`${error.name}: ${error.message}`)).toBe(true);
});

test('every class is in the table', () => {
  const classes = Object.values(errors).filter((value) => typeof value === 'function');
  const covered = new Set(table.map(([error]) => error.constructor));
  expect(classes.filter((value) => !covered.has(value))).toEqual([]);
});

test('an error without a cause has none, not an undefined one', () => {
  expect('cause' in new errors.FlovynError('text')).toBe(false);
});

test.each([
  [new TypeError('of a type'), 'of a type'],
  [new TypeError(''), 'TypeError'],
  ['just text', 'just text'],
  [undefined, 'undefined'],
  [null, 'null'],
  [{ message: 'in an object' }, 'in an object'],
  [{ a: 1 }, '{"a":1}'],
  [Symbol('s'), 'Symbol(s)'],
  [Object.create(null, { toString: { value: 1 } }), '{}'],
])('from(%o) keeps what was thrown as the cause', (thrown, message) => {
  const error = errors.FlovynError.from(thrown);
  expect(error).toMatchObject({ name: 'FlovynError', message });
  expect(error.cause).toBe(thrown);
});

test('from gives a FlovynError back as it is', () => {
  const error = new errors.TaskFailed('text', 'id');
  expect(errors.FlovynError.from(error)).toBe(error);
});

test('from survives what throws when it is looked at', () => {
  const hostile = new Proxy(
    {},
    {
      get() {
        throw new Error('no');
      },
    },
  );
  expect(errors.FlovynError.from(hostile).message).toBe('an object that cannot be shown');
});
