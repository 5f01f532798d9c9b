import { FlovynError, nameClass } from './base.js';

/** The gRPC status codes by name. */
export const GrpcCode = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

/** Name of a gRPC status code. */
export type GrpcCodeName = keyof typeof GrpcCode;

/** What else an `RpcError` knows. */
export interface RpcErrorOptions {
  /** Full path of the method that was called: `/flovyn.v1.WorkflowDispatch/StartWorkflow`. */
  readonly method?: string | undefined;
  /** What led to it. */
  readonly cause?: unknown;
}

/** A call that failed: the server said so, or its answer could not be understood. */
export class RpcError extends FlovynError {
  static {
    nameClass(this, 'RpcError');
  }

  override readonly code: GrpcCodeName;
  /** `code` as the number of the gRPC specification. */
  readonly grpcCode: number;
  /** Full path of the method that was called, if known. */
  readonly method: string | undefined;

  constructor(code: GrpcCodeName, message: string, options: RpcErrorOptions = {}) {
    super(message, options.cause);
    this.code = code;
    this.grpcCode = GrpcCode[code];
    this.method = options.method;
  }
}

/** No server could be reached, or it cannot serve now. */
export class ConnectionError extends FlovynError {
  static {
    nameClass(this, 'ConnectionError');
  }

  override readonly code: string = 'UNAVAILABLE';
  /** Where the server was looked for. */
  readonly serverUrl: string;

  constructor(message: string, serverUrl: string, cause?: unknown) {
    super(message, cause);
    this.serverUrl = serverUrl;
  }
}

/** The server does not know the key, or does not let it do this. `code` is the server's when it gave one. */
export class AuthenticationError extends FlovynError {
  static {
    nameClass(this, 'AuthenticationError');
  }

  override readonly code: string;

  constructor(message: string, cause?: unknown) {
    super(message, cause);
    this.code = cause instanceof RpcError ? cause.code : 'UNAUTHENTICATED';
  }
}

/** The server does not have that thing, or the key may not see it. */
export class NotFoundError extends FlovynError {
  static {
    nameClass(this, 'NotFoundError');
  }

  override readonly code: string = 'NOT_FOUND';
  /** Type of the thing in words. */
  readonly resourceType: string;
  /** Its id as the caller gave it; empty when the caller did not say. */
  readonly resourceId: string;

  constructor(resourceType: string, resourceId: string, cause?: unknown) {
    super(cause instanceof RpcError ? cause.message : `${resourceType} not found: ${resourceId}`, cause);
    this.resourceType = resourceType;
    this.resourceId = resourceId;
  }
}
