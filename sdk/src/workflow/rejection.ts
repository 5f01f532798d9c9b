import {
  ChildWorkflowFailed,
  FlovynError,
  PromiseRejected,
  PromiseTimeout,
  TaskCancelled,
  TaskFailed,
} from '../errors.js';
import { errorOfStack, recordedError } from '../errors/recorded.js';

/** What the core says of a handle that is rejected. */
type Rejection =
  | TaskRejection
  | { code: 'TASK_CANCELLED'; message: string; taskExecutionId: string; kind: string }
  | { code: 'PROMISE_REJECTED'; message: string; promiseId: string; name: string }
  | { code: 'PROMISE_TIMED_OUT'; promiseId: string; name: string }
  | ChildRejection
  | { code: 'OPERATION_FAILED'; message: string; name: string; stack?: string; retryable?: boolean };

interface TaskRejection {
  code: 'TASK_FAILED';
  message: string;
  taskExecutionId: string;
  kind: string;
  errorType?: string | undefined;
  stackTrace?: string | undefined;
  retryable: boolean;
}

interface ChildRejection {
  code: 'CHILD_FAILED';
  message: string;
  childExecutionId: string;
  name: string;
  kind: string;
  failureType?: string | undefined;
  stackTrace?: string | undefined;
}

/** The error that workflow code sees for a rejection of the core, which is JSON. */
export function rejectionError(json: string): Error {
  const rejection = JSON.parse(json) as Rejection;
  switch (rejection.code) {
    case 'TASK_FAILED':
      return taskFailed(rejection);
    case 'TASK_CANCELLED':
      return new TaskCancelled(rejection.taskExecutionId, rejection.message || undefined);
    case 'PROMISE_REJECTED':
      return new PromiseRejected(rejection.name, rejection.message);
    case 'PROMISE_TIMED_OUT':
      return new PromiseTimeout(rejection.name);
    case 'CHILD_FAILED':
      return childFailed(rejection);
    case 'OPERATION_FAILED':
      return recordedError(rejection);
    default:
      return new FlovynError(`A handle was rejected in a way that this version does not know: ${json}`);
  }
}

/** What the task threw is its cause, where the server says more of it than its text. */
function taskFailed({ message, taskExecutionId, retryable, ...thrown }: TaskRejection): TaskFailed {
  const { errorType: failureType, stackTrace: remoteStack } = thrown;
  const isKnown = failureType !== undefined || remoteStack !== undefined;
  const cause = isKnown
    ? recordedError({ message, name: failureType ?? 'Error', stack: remoteStack })
    : undefined;
  return new TaskFailed(message, taskExecutionId, retryable, cause, undefined, { failureType, remoteStack });
}

function childFailed(rejection: ChildRejection): ChildWorkflowFailed {
  const { message, childExecutionId, failureType, stackTrace: remoteStack } = rejection;
  const cause = errorOfStack(message, remoteStack);
  return new ChildWorkflowFailed(childExecutionId, message, cause, { failureType, remoteStack });
}
