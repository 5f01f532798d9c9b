import { provesDifferences } from './difference.js';
import { engine, networkOptions, tls, transports } from './network.js';

provesDifferences({ ...transports, ...tls, ...networkOptions, ...engine });
