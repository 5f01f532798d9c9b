import { provesDifferences } from './difference.js';
import { harness } from './harness.js';

provesDifferences(harness);
