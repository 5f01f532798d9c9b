/** How many levels of objects and arrays a payload may have; keeps the recursion far from the end of the stack. */
export const MAX_DEPTH = 500;

/** One step from a value to one inside it: an index, a property name, or the key or value of a Map's n-th entry. */
export type Step = number | string | readonly [entry: number, part: 'key' | 'value'];

/** The way from the root as people write it: `$.order.items[3]`, `$["two words"]`, `$.prices[0].key`. */
export function pathText(steps: readonly Step[]): string {
  return `$${steps.map(stepText).join('')}`;
}

function stepText(step: Step): string {
  if (typeof step === 'number') return `[${step}]`;
  if (typeof step === 'string')
    return /^[A-Za-z_$][\w$]*$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`;
  return `[${step[0]}].${step[1]}`;
}
