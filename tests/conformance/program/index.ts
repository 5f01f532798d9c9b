import { basicWorkflows } from './basic.js';
import { taskDefinitions } from './tasks.js';
import { workflowsWithOthers } from './with-others.js';
import { workflowsWithTasks } from './with-tasks.js';

export * from './basic.js';
export * from './tasks.js';
export * from './with-others.js';
export * from './with-tasks.js';

export const programTasks = taskDefinitions;
export const programWorkflows = [...basicWorkflows, ...workflowsWithTasks, ...workflowsWithOthers];
