/** What is done, and by which name: a function, a call of a class or interface, or an option. */
export interface PublicNames {
  readonly functions: readonly string[];
  readonly calls: readonly string[];
  readonly options: readonly string[];
  /** Options that an interface has from another one: shown where they come from, and here if it matters. */
  readonly inherited: readonly string[];
}

interface Declaration {
  readonly kind: string;
  readonly name: string;
  readonly parents: readonly string[];
  readonly members: readonly string[];
}

/**
 * Reads the names out of a report of the API. Options are the members of interfaces that may be left out; of generic
 * types that are made of others nothing is read.
 */
export function publicNames(report: string): PublicNames {
  const declarations = declarationsOf(report);
  const members = (kinds: RegExp, what: RegExp): string[] =>
    declarations
      .filter(({ kind }) => kinds.test(kind))
      .flatMap(({ name, members: all }) =>
        all.flatMap((member) => {
          const found = what.exec(member)?.[1];
          return found === undefined || found === 'constructor' ? [] : [`${name}.${found}`];
        }),
      );
  const options = members(/interface/, /^(?:readonly )?(\w+)\?:/);
  return {
    functions: declarations.filter(({ kind }) => kind === 'function').map(({ name }) => name),
    calls: [...new Set(members(/class|interface/, /^(?:static )?(\w+)(?:<.*?>)?\(/))],
    options,
    inherited: declarations.flatMap(({ name, parents }) =>
      options
        .filter((option) => parents.includes(option.split('.')[0] ?? ''))
        .map((option) => `${name}.${option.split('.')[1]}`),
    ),
  };
}

function declarationsOf(report: string): Declaration[] {
  return [...report.matchAll(/^export (?:abstract )?(\w+) (\w+)([^\n]*)\n((?: {4}[^\n]*\n)*)/gm)].map(
    ([, kind = '', name = '', head = '', body = '']) => ({
      kind,
      name,
      parents: head.split(' extends ')[1]?.match(/\w+/g) ?? [],
      members: body
        .split('\n')
        .filter((line) => /^ {4}\S/.test(line))
        .map((line) => line.trim()),
    }),
  );
}
