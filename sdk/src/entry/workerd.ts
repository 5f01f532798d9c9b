import { install } from '../core.js';
import wasm from '../generated/core_bg.wasm';

install(wasm);

export * from '../index.js';
export { ready } from './loaded.js';
