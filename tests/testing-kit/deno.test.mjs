import { register } from './cases.mjs';

register((name, fn) => globalThis.Deno.test({ name, fn }));
