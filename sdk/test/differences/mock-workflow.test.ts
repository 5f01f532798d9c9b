import { provesDifferences } from './difference.js';
import { mockWorkflow } from './mock-workflow.js';

provesDifferences(mockWorkflow);
