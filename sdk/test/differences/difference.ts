import { expect, test } from 'vitest';
import { Unsupported } from '../../src/errors.js';

/** Does something with (`given`) or without one option or call, and says what came of it. */
export type Observation = (given: boolean) => unknown;

/** Observations by the name of what they are about: `task`, `WorkflowContext.sleep`, `TaskOptions.queue`. */
export type Observations = Readonly<Record<string, Observation>>;

/** Tests that each option and call makes a difference, or is refused with `Unsupported`. */
export function provesDifferences(observations: Observations): void {
  test.each(Object.entries(observations))('%s', async (_name, observe) => {
    const without = await outcomeOf(observe, false);
    // Where twice the same gives two things, a difference would prove nothing.
    expect(await outcomeOf(observe, false)).toEqual(without);
    expect(await outcomeOf(observe, true)).not.toEqual(without);
  });
}

async function outcomeOf(observe: Observation, given: boolean): Promise<unknown> {
  try {
    return { came: await observe(given) };
  } catch (error) {
    if (given && error instanceof Unsupported) return { refused: error.message };
    throw error;
  }
}

/** A call that changes nothing, and is there for what it gives: exactly this. Without it there is nothing. */
export function gives(expected: unknown, call: () => unknown): Observation {
  return async (given) => {
    if (!given) return undefined;
    const value = await call();
    expect(value).toEqual(expected);
    return value;
  };
}

/** `{ [name]: value }` if it is given, else nothing: a spread that leaves an option out. */
export function only<Name extends string, Value>(
  given: boolean,
  name: Name,
  value: Value,
): Partial<Record<Name, Value>> {
  return given ? ({ [name]: value } as Record<Name, Value>) : {};
}
