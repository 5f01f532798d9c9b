import { readFileSync } from 'node:fs';
import { install } from '../core.js';

install(readFileSync(new URL('../generated/core_bg.wasm', import.meta.url)));

export * from '../index.js';
export { ready } from './loaded.js';
