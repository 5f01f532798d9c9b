import { provesDifferences } from './difference.js';
import { reports } from './reports.js';

provesDifferences(reports);
