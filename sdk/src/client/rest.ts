import type { WorkflowDescription as Described } from '../core.js';
import { ConnectionError, FlovynError, GrpcCode, type GrpcCodeName } from '../errors.js';
import { textOf } from '../errors/base.js';
import { CALL_DEADLINE_MS } from '../rpc/methods.js';
import type { Clock } from '../runtime/clock.js';
import type { Fetch } from '../runtime/platform-types.js';
import { statusError } from '../transport/status.js';
import type { Subject } from '../transport/transport.js';
import type { ListWorkflowsOptions } from './description.js';

/** Where the REST interface of a server is, and how it is asked. */
export interface RestOptions {
  /** Without a slash at its end. */
  readonly httpUrl: string;
  /** Slug or id of the organisation. */
  readonly org: string;
  readonly token: string | undefined;
  readonly fetch: Fetch | undefined;
  readonly headers: Readonly<Record<string, string>> | undefined;
  readonly clock: Clock;
}

/** What the gRPC contract has no call for, over REST: for servers without our extensions. */
export class RestCalls {
  readonly #options: RestOptions;

  constructor(options: RestOptions) {
    this.#options = options;
  }

  /** Asks an execution to end as cancelled. */
  async cancel(id: string, body: object, subject: Subject, signal: AbortSignal): Promise<void> {
    const path = `/workflow-executions/${encodeURIComponent(id)}/cancel`;
    await this.#ask('POST', path, signal, subject, JSON.stringify(body));
  }

  /** What is known of an execution. */
  async describe(id: string, subject: Subject, signal: AbortSignal): Promise<Described> {
    return described(
      await this.#ask('GET', `/workflow-executions/${encodeURIComponent(id)}`, signal, subject),
    );
  }

  /** A page of executions. */
  async list(
    options: ListWorkflowsOptions,
    signal: AbortSignal,
  ): Promise<{ workflows: Described[]; total: number }> {
    const query = Object.entries(options)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`)
      .join('&');
    const answer = await this.#ask('GET', `/workflow-executions${query && `?${query}`}`, signal);
    const workflows = Array.isArray(answer['workflows']) ? (answer['workflows'] as Json[]) : [];
    return { workflows: workflows.map(described), total: Number(answer['total'] ?? workflows.length) };
  }

  async #ask(
    method: 'GET' | 'POST',
    path: string,
    stopped: AbortSignal,
    subject?: Subject,
    body?: string,
  ): Promise<Json> {
    const { httpUrl, org, clock } = this.#options;
    const url = `${httpUrl}/api/orgs/${encodeURIComponent(org)}${path}`;
    const controller = new AbortController();
    const onStop = (): void => controller.abort(stopped.reason);
    if (stopped.aborted) onStop();
    stopped.addEventListener('abort', onStop, { once: true });
    const stopTimer = clock.schedule(CALL_DEADLINE_MS, () =>
      controller.abort(new Error(`no answer after ${CALL_DEADLINE_MS} ms`)),
    );
    try {
      const response = await this.#send(url, method, controller.signal, body);
      const text = await response.text();
      if (!response.ok)
        throw refusal(response.status, text, { method: `${method} ${path}`, serverUrl: httpUrl, subject });
      return parsed(text) ?? {};
    } catch (error) {
      if (error instanceof FlovynError) throw error;
      throw new ConnectionError(`${method} ${url} failed: ${textOf(error)}`, httpUrl, error);
    } finally {
      stopTimer();
      stopped.removeEventListener('abort', onStop);
    }
  }

  async #send(url: string, method: string, signal: AbortSignal, body?: string): Promise<Response> {
    const { token, headers } = this.#options;
    const all: Record<string, string> = { ...headers, accept: 'application/json' };
    if (token !== undefined) all['authorization'] = `Bearer ${token}`;
    if (body !== undefined) all['content-type'] = 'application/json';
    // Looked up at each call, since programs replace the global one; and never called as a method, which browsers refuse.
    const send = this.#options.fetch ?? fetch;
    const bytes = body === undefined ? {} : { body: new TextEncoder().encode(body) };
    return send(url, { method, headers: all, signal, ...bytes });
  }
}

type Json = Readonly<Record<string, unknown>>;

/** HTTP statuses of refusals that say nothing more, as the gRPC codes that mean the same. */
const CODE_OF_HTTP: Readonly<Record<number, GrpcCodeName>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  409: 'FAILED_PRECONDITION',
  429: 'RESOURCE_EXHAUSTED',
  501: 'UNIMPLEMENTED',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
};

function refusal(
  status: number,
  text: string,
  call: { method: string; serverUrl: string; subject: Subject | undefined },
): FlovynError {
  const { code, error } = parsed(text) ?? {};
  const named = typeof code === 'string' && code in GrpcCode ? (code as GrpcCodeName) : CODE_OF_HTTP[status];
  const reason = typeof error === 'string' ? error : `HTTP status ${status}`;
  return statusError(GrpcCode[named ?? 'UNKNOWN'], reason, call);
}

function parsed(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Json) : undefined;
  } catch {
    return undefined;
  }
}

/** A description as the extension gives it. */
function described(found: Json): Described {
  const text = (name: string): string => (typeof found[name] === 'string' ? found[name] : '');
  const time = (name: string): number => Date.parse(text(name)) || 0;
  const payload = (name: string): string => JSON.stringify(found[name] ?? null);
  return {
    workflowExecutionId: text('id') || text('workflowExecutionId'),
    kind: text('kind') || text('workflowKind'),
    queue: text('queue'),
    status: text('status'),
    input: payload('input'),
    output: payload('output'),
    error: text('error'),
    currentSequence: Number(found['currentSequence'] ?? 0),
    workflowVersion: text('workflowVersion'),
    parentWorkflowExecutionId: text('parentWorkflowExecutionId'),
    workerId: text('workerId'),
    metadata: (found['metadata'] ?? {}) as Record<string, string>,
    createdAtMs: time('createdAt'),
    startedAtMs: time('startedAt'),
    completedAtMs: time('completedAt'),
    updatedAtMs: time('updatedAt'),
    parks: Number(found['parks'] ?? 0),
    parkReason: text('parkReason'),
    timeoutMs: Number(found['timeoutMs'] ?? 0),
    cancelReason: text('cancelReason'),
  };
}
