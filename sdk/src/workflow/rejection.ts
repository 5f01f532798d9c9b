import {
  ChildWorkflowFailed,
  FlovynError,
  PromiseRejected,
  PromiseTimeout,
  TaskCancelled,
  TaskFailed,
} from '../errors.js';

/** The error classes of the language: what was thrown as one is one again in every replay. */
const STANDARD = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError } as const;

/** What the core says of a handle that is rejected. */
type Rejection =
  | TaskRejection
  | { code: 'TASK_CANCELLED'; message: string; taskExecutionId: string; kind: string }
  | { code: 'PROMISE_REJECTED'; message: string; promiseId: string; name: string }
  | { code: 'PROMISE_TIMED_OUT'; promiseId: string; name: string }
  | { code: 'CHILD_FAILED'; message: string; childExecutionId: string; name: string; kind: string }
  | { code: 'OPERATION_FAILED'; message: string; name: string; stack?: string; retryable?: boolean };

interface TaskRejection {
  code: 'TASK_FAILED';
  message: string;
  taskExecutionId: string;
  kind: string;
  errorType?: string;
  stackTrace?: string;
  retryable: boolean;
}

/** The error that workflow code sees for a rejection of the core, which is JSON. */
export function rejectionError(json: string): Error {
  const rejection = JSON.parse(json) as Rejection;
  switch (rejection.code) {
    case 'TASK_FAILED':
      return new TaskFailed(
        rejection.message,
        rejection.taskExecutionId,
        rejection.retryable,
        thrown(rejection),
      );
    case 'TASK_CANCELLED':
      return new TaskCancelled(rejection.taskExecutionId, rejection.message || undefined);
    case 'PROMISE_REJECTED':
      return new PromiseRejected(rejection.name, rejection.message);
    case 'PROMISE_TIMED_OUT':
      return new PromiseTimeout(rejection.name);
    case 'CHILD_FAILED':
      return new ChildWorkflowFailed(rejection.childExecutionId, rejection.message);
    case 'OPERATION_FAILED':
      return recordedError(rejection);
    default:
      return new FlovynError(`A handle was rejected in a way that this version does not know: ${json}`);
  }
}

/** What the task threw, where the server says more of it than its text. */
function thrown({ message, errorType: name, stackTrace: stack }: TaskRejection): Error | undefined {
  if (name === undefined && stack === undefined) return undefined;
  return recordedError({ message, name: name ?? 'Error', stack });
}

function recordedError(thrown: {
  message: string;
  name: string;
  stack?: string | undefined;
  retryable?: boolean | undefined;
}): Error {
  const Class = Object.hasOwn(STANDARD, thrown.name) ? STANDARD[thrown.name as keyof typeof STANDARD] : Error;
  const error = new Class(thrown.message);
  if (error.name !== thrown.name) define(error, 'name', thrown.name);
  // Without the recorded one, the stack would show where the replay happened to be.
  define(error, 'stack', thrown.stack ?? `${thrown.name}: ${thrown.message}`);
  if (thrown.retryable !== undefined) define(error, 'retryable', thrown.retryable);
  return error;
}

function define(error: Error, name: string, value: unknown): void {
  Object.defineProperty(error, name, { value, configurable: true, writable: true });
}
