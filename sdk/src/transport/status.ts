import {
  AuthenticationError,
  ConnectionError,
  type FlovynError,
  GrpcCode,
  type GrpcCodeName,
  NotFoundError,
  RpcError,
} from '../errors.js';
import type { Protocol } from './carrier.js';
import type { Subject } from './transport.js';

/** Which call a status belongs to. */
export interface CallFacts {
  /** Full path of the method. */
  readonly method: string;
  /** Where the call went. */
  readonly serverUrl: string;
  /** What the call is about, if the caller said. */
  readonly subject?: Subject | undefined;
}

/** Which call an answer belongs to, and what is spoken. */
export interface ExchangeFacts extends CallFacts {
  readonly protocol: Protocol;
}

const NAMES = new Map<number, GrpcCodeName>(
  Object.entries(GrpcCode).map(([name, number]) => [number, name as GrpcCodeName]),
);

/** The error for a status, other than OK, that the server gave. */
export function statusError(grpcCode: number, text: string, call: CallFacts): FlovynError {
  const code = NAMES.get(grpcCode) ?? 'UNKNOWN';
  const message =
    text === '' ? `${shortName(call.method)} failed with ${code}; the server gave no reason` : text;
  const error = new RpcError(code, message, { method: call.method });
  switch (code) {
    case 'UNAUTHENTICATED':
      return new AuthenticationError(
        `${message} (UNAUTHENTICATED at ${call.serverUrl}): check apiKey and workerToken`,
        error,
      );
    case 'PERMISSION_DENIED':
      return new AuthenticationError(
        `${message} (PERMISSION_DENIED at ${call.serverUrl}): check orgId and the key`,
        error,
      );
    case 'NOT_FOUND':
      return new NotFoundError(call.subject?.type ?? 'Resource', call.subject?.id ?? '', error);
    case 'UNAVAILABLE':
      return new ConnectionError(`${message} (UNAVAILABLE at ${call.serverUrl})`, call.serverUrl, error);
    default:
      return error;
  }
}

/** `PollWorkflow` of `/flovyn.v1.WorkflowDispatch/PollWorkflow`. */
export function shortName(method: string): string {
  return method.slice(method.lastIndexOf('/') + 1);
}

/** The error for an answer that cannot be understood; `problem` says what was expected and what came. */
export function malformed(
  { method, serverUrl, protocol }: ExchangeFacts,
  problem: string,
  cause?: unknown,
): RpcError {
  const text =
    `${method} got a broken ${protocol} answer from ${serverUrl}: ${problem}. Whether the call took effect is not known. ` +
    'Check that this is a Flovyn server and that proxies before it leave bodies as they are';
  return new RpcError('INTERNAL', text, { method, cause });
}

/** The error for an answer whose connection ended too early. */
export function cutOff({ method, serverUrl }: CallFacts, why: string, cause?: unknown): ConnectionError {
  const text =
    `The answer to ${method} from ${serverUrl} was cut off (${why}): the server, or a proxy before it, went away. ` +
    'Whether the call took effect is not known';
  return new ConnectionError(text, serverUrl, cause);
}
