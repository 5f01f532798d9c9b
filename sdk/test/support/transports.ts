import { nodeCarriers } from '../../src/node/carriers.js';
import { installNodeCarriers, type TransportKind } from '../../src/transport/create.js';
import { type Language, native, web } from './stranger.js';

// Tests import modules one by one, past the entry that does this in Node.
installNodeCarriers(nodeCarriers);

/** Every transport over a network, and what its servers speak. */
export const TRANSPORTS: readonly (readonly [TransportKind, Language])[] = [
  ['fetch', web],
  ['http', web],
  ['http2', native],
];

/** Those that only Node has. */
export const NODE_TRANSPORTS: readonly (readonly [TransportKind, Language])[] = TRANSPORTS.slice(1);
