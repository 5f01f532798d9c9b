import { provesDifferences } from './difference.js';
import { taskConfig, taskContext } from './task.js';

provesDifferences({ ...taskContext, ...taskConfig });
