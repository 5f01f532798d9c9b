import { provesDifferences } from './difference.js';
import { workerDrain } from './worker-drain.js';

provesDifferences(workerDrain);
