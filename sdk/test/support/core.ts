import { readFileSync } from 'node:fs';
import { install } from '../../src/core.js';

// Tests import modules one by one, past the entries that load the core.
install(readFileSync(new URL('../../src/generated/core_bg.wasm', import.meta.url)));
