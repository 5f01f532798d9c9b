import { provesDifferences } from './difference.js';
import { values } from './values.js';

provesDifferences(values);
