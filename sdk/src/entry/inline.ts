import { install } from '../core.js';
import { wasmBase64 } from '../generated/core_inline.js';

install(Uint8Array.from(atob(wasmBase64), (char) => char.charCodeAt(0)));

export * from '../index.js';
export { ready } from './loaded.js';
