/** What to do to undo what was done, the last first. */
export interface Saga {
  /** Remembers how to undo what was done last. `compensation` is called at most once. */
  add(compensation: () => unknown): void;
  /**
   * Undoes everything, one after the other, the last first. One that fails does not keep the others from being called;
   * afterwards its error is thrown, or an `AggregateError` of several.
   */
  compensate(): Promise<void>;
}

/**
 * Compensation in reverse order, for work that cannot be done in one transaction:
 *
 * ```ts
 * const undo = saga();
 * try {
 *   await ctx.task(reserve, order);
 *   undo.add(() => ctx.task(release, order));
 *   await ctx.task(charge, order);
 * } catch (error) {
 *   await undo.compensate();
 *   throw error;
 * }
 * ```
 *
 * When the execution is cancelled, the `catch` runs and its work is not cancelled by the same request; wrap it in
 * `ctx.nonCancellable` to have it survive the end of a scope around it, too.
 */
export function saga(): Saga {
  const compensations: (() => unknown)[] = [];
  return {
    add: (compensation) => void compensations.push(compensation),
    compensate: () => compensate(compensations),
  };
}

async function compensate(compensations: (() => unknown)[]): Promise<void> {
  const errors: unknown[] = [];
  for (let next = compensations.pop(); next !== undefined; next = compensations.pop()) {
    try {
      await next();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) throw new AggregateError(errors, `${errors.length} compensations failed`);
}
