import { provesDifferences } from './difference.js';
import { handles, verbOptions, workflowConfig, workflowContext } from './workflow-context.js';

provesDifferences({ ...workflowContext, ...handles, ...verbOptions, ...workflowConfig });
