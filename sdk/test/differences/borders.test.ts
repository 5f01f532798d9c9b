import { borders } from './borders.js';
import { provesDifferences } from './difference.js';

provesDifferences(borders);
