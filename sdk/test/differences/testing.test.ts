import { provesDifferences } from './difference.js';
import { testing } from './testing.js';

provesDifferences(testing);
