/** Resolves once the core is loaded. Await it before anything else in a browser; elsewhere it is loaded at import. */
export async function ready(): Promise<void> {}
