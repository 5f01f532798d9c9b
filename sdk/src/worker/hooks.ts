import { ConfigurationError } from '../errors.js';
import { checkOptions } from '../options.js';

/**
 * Is told of the executions that a worker runs. Nothing waits for what its functions return, and what they throw is
 * logged and changes nothing.
 */
export interface WorkflowHook {
  /**
   * The function of an execution is called for the first time: once for each execution, however often it is replayed. A
   * second worker tells it again if the first one was lost before it had recorded anything of the execution.
   */
  readonly onStarted?:
    | ((workflowId: string, workflowKind: string, input: unknown) => void | PromiseLike<void>)
    | undefined;
  /** An execution has completed, and the server has recorded it. */
  readonly onCompleted?:
    | ((workflowId: string, workflowKind: string, output: unknown) => void | PromiseLike<void>)
    | undefined;
  /**
   * An execution has failed, or has ended as cancelled (`error` is a `WorkflowCancelled` then), and the server has
   * recorded it. It is not told of executions that the server ends by itself, as after their timeout.
   */
  readonly onFailed?:
    | ((workflowId: string, workflowKind: string, error: Error) => void | PromiseLike<void>)
    | undefined;
}

const HOOKS = ['onStarted', 'onCompleted', 'onFailed'] as const;

/** The hooks of an option that takes one or several. Throws `ConfigurationError` for what is none. */
export function workflowHooks(
  what: string,
  hooks: WorkflowHook | readonly WorkflowHook[] = [],
): WorkflowHook[] {
  const all = isList(hooks) ? [...hooks] : [hooks];
  for (const hook of all) check(what, hook);
  return all;
}

function isList(hooks: WorkflowHook | readonly WorkflowHook[]): hooks is readonly WorkflowHook[] {
  return Array.isArray(hooks);
}

function check(what: string, hook: WorkflowHook): void {
  const functions = HOOKS.filter((name) => typeof hook?.[name] === 'function');
  const wrong = HOOKS.find((name) => hook?.[name] !== undefined && !functions.includes(name));
  if (functions.length === 0 || wrong !== undefined) {
    const got = wrong === undefined ? 'none of them' : `${wrong} as ${typeof hook[wrong]}`;
    throw new ConfigurationError(`${what}: a hook must have functions ${HOOKS.join(', ')}, got ${got}`);
  }
  // A class may have what it wants beside them; in a plain object another name is a mistake.
  if (Object.getPrototypeOf(hook) === Object.prototype) checkOptions(`${what}, hooks`, hook, HOOKS);
}
