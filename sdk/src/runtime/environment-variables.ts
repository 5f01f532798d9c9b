type Variables = Readonly<Record<string, string | undefined>>;

/**
 * A variable of the process's environment; undefined where there is none, where there are none at all, and where the
 * program has not been allowed to read it: nothing asks for that permission.
 */
export function environmentVariable(name: string): string | undefined {
  if (!mayRead(name)) return undefined;
  const process: unknown = Reflect.get(globalThis, 'process');
  const variables = (process as { readonly env?: Variables } | undefined)?.env;
  return variables?.[name] || undefined;
}

/** Deno asks at the terminal otherwise. */
function mayRead(variable: string): boolean {
  const deno: unknown = Reflect.get(globalThis, 'Deno');
  const { permissions } = (deno ?? {}) as { permissions?: DenoPermissions };
  return permissions === undefined || permissions.querySync({ name: 'env', variable }).state === 'granted';
}

interface DenoPermissions {
  querySync(descriptor: { name: 'env'; variable: string }): { state: string };
}
