/** A rule does not hold. */
export class Broken extends Error {}

export function same(what, expected, got) {
  if (expected !== got) throw new Broken(`${what}: expected ${expected}, got ${got}`);
}

/** Counts a name; how often it has come by now. */
export function count(counts, name) {
  counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts.get(name);
}
