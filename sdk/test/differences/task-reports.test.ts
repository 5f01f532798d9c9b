import { provesDifferences } from './difference.js';
import { taskReports } from './task-reports.js';

provesDifferences(taskReports);
