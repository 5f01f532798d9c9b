import { provesDifferences } from './difference.js';
import { handles, queryContext, verbOptions, workflowConfig, workflowContext } from './workflow-context.js';

provesDifferences({ ...workflowContext, ...handles, ...verbOptions, ...workflowConfig, ...queryContext });
