import { provesDifferences } from './difference.js';
import { workerControl } from './worker-control.js';

provesDifferences(workerControl);
