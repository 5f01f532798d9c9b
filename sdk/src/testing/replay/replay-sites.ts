import { describeCommands } from '../../core.js';
import { type CallSite, CallSites } from '../../workflow/call-sites.js';

/** What a replay has to know of a context beside what it does. */
export interface SitesOptions {
  /** Whether to find out which line each command comes from, which is slow. */
  readonly lines?: boolean | undefined;
  /** What `ctx.patched` may answer true for: ids in the history that a prefix is of. Undefined leaves it to the core. */
  readonly patches?: ReadonlySet<string> | undefined;
}

const OF_THE_ID: readonly PropertyKey[] = ['random', 'randomUUID', 'workflowExecutionId', 'info'];

/** Watches how a workflow uses its context in a replay. */
export class ReplaySites extends CallSites {
  readonly #options: SitesOptions;
  readonly #lines: (CallSite | undefined)[] = [];
  #usesId = false;

  /** `id` is the activation's in the core. */
  constructor(id: number, options: SitesOptions = {}) {
    super();
    this.#options = options;
    if (options.lines === true) {
      this.onCalled = (site) => {
        const count = (JSON.parse(describeCommands(id)) as unknown[]).length;
        while (this.#lines.length < count) this.#lines.push(site);
      };
    }
  }

  /** Whether the code did something that depends on the id of its execution. */
  get usesId(): boolean {
    return this.#usesId;
  }

  /** Where the command of this number comes from, the first being 0; where commands of the context itself do, the call before. */
  ofCommand(index: number): CallSite | undefined {
    return this.#lines[index];
  }

  override watch<C extends object>(ctx: C): C {
    const answering = new Proxy(ctx, { get: (target, name) => this.#member(target, name) });
    return this.#options.lines === true ? super.watch(answering) : answering;
  }

  #member(target: object, name: PropertyKey): unknown {
    if (OF_THE_ID.includes(name)) this.#usesId = true;
    // The target as the receiver, since a proxy has no private fields.
    const member: unknown = Reflect.get(target, name, target);
    if (typeof member !== 'function') return member;
    const method = (member as (...args: unknown[]) => unknown).bind(target);
    const { patches } = this.#options;
    if (name !== 'patched' || patches === undefined) return method;
    return (id: string): unknown => patches.has(id) && method(id);
  }
}
