import { WorkflowCancelled } from '../errors.js';

/**
 * What is cancelled together: the whole execution, or a part of it that `ctx.scope` or `ctx.nonCancellable`
 * made. The core knows the handles of each; this is what workflow code sees of it.
 */
export class CancelScope {
  /** Its number in the core; 0 is the root. */
  readonly id: number;
  readonly #parent: CancelScope | undefined;
  readonly #inner = new Set<CancelScope>();
  readonly #isCancellable: boolean;
  #controller: AbortController | undefined;
  #cancelled: WorkflowCancelled | undefined;

  private constructor(id: number, parent: CancelScope | undefined, isCancellable: boolean) {
    this.id = id;
    this.#parent = parent;
    this.#isCancellable = isCancellable;
    if (isCancellable) this.#cancelled = parent?.cancelled;
  }

  /** The scope of an execution. */
  static root(): CancelScope {
    return new CancelScope(0, undefined, true);
  }

  /** Why it was cancelled, if it was. What is begun in it after that runs as usual: it makes good. */
  get cancelled(): WorkflowCancelled | undefined {
    return this.#cancelled;
  }

  /** Fires when it is cancelled. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#cancelled !== undefined) this.#controller.abort(this.#cancelled);
    }
    return this.#controller.signal;
  }

  /** A scope inside this one. If it is not cancellable it does not end with this one. */
  open(id: number, isCancellable: boolean): CancelScope {
    const scope = new CancelScope(id, this, isCancellable);
    this.#inner.add(scope);
    return scope;
  }

  /** Cancels it and what is inside. A second time changes nothing. */
  cancel(reason: WorkflowCancelled): void {
    if (this.#cancelled !== undefined) return;
    this.#cancelled = reason;
    this.#controller?.abort(reason);
    for (const scope of this.#inner) if (scope.#isCancellable) scope.cancel(reason);
  }

  /** Its function has come to its end. */
  close(): void {
    if (this.#parent !== undefined) this.#parent.#inner.delete(this);
  }
}

/** The error of handles and checks once an execution was asked to end as cancelled. */
export function cancelledWorkflow(reason: string | undefined): WorkflowCancelled {
  return reason === undefined || reason === ''
    ? new WorkflowCancelled()
    : new WorkflowCancelled(`Workflow was cancelled: ${reason}`, reason);
}
