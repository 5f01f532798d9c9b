import { install } from '../core.js';
import { wasmGzipBase64 } from '../generated/core_inline.js';

const packed = Uint8Array.from(atob(wasmGzipBase64), (char) => char.charCodeAt(0));
const unpacking = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
install(await new Response(unpacking).arrayBuffer());

export * from '../index.js';
export { ready } from './loaded.js';
