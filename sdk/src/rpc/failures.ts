import { InstanceGone } from '../core.js';
import { ConnectionError, NotFoundError, RpcError } from '../errors.js';

const FAULTS = ['INTERNAL', 'UNKNOWN', 'DATA_LOSS'];
const TRANSIENT = ['DEADLINE_EXCEEDED', 'ABORTED', ...FAULTS];
const REFUSED = ['INVALID_ARGUMENT', 'RESOURCE_EXHAUSTED', 'OUT_OF_RANGE'];

/** Whether the same call may succeed later, or may have succeeded without our knowing. */
export function isTransient(error: unknown): boolean {
  // Another thing made the core trap while the answer was read.
  if (error instanceof InstanceGone) return true;
  return error instanceof ConnectionError || (error instanceof RpcError && TRANSIENT.includes(error.code));
}

/** Whether the server hit a fault of its own. That may pass, or be brought about by this very request each time. */
export function isServerFault(error: unknown): boolean {
  return error instanceof RpcError && FAULTS.includes(error.code);
}

/** Whether the server will never take this request, whoever sends it and when. */
export function isRefusal(error: unknown): boolean {
  return error instanceof RpcError && REFUSED.includes(error.code);
}

/** Whether the server says that the claim is another's now, or that its subject is gone. */
export function isClaimLost(error: unknown): boolean {
  return (
    error instanceof NotFoundError || (error instanceof RpcError && error.code === 'FAILED_PRECONDITION')
  );
}
