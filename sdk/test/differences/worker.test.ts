import { provesDifferences } from './difference.js';
import { worker } from './worker.js';

provesDifferences(worker);
