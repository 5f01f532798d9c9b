import { rows as changes } from './semantics/changes.mjs';
import { rows as flow } from './semantics/flow.mjs';
import { rows as verbs } from './semantics/verbs.mjs';

/**
 * What workflows may rely on, one row per promise that is easily broken: a workflow, a script of what happens to it, and
 * what must come of it. Each row is played in every mode of stage.mjs.
 *
 * @typedef {object} Row
 * @property {string} name
 * @property {(ctx: any, input: any, outside: { op: (name: string) => unknown }) => unknown} run the workflow function
 * @property {Record<string, Row['run']>} [children] other workflows, by name
 * @property {string[]} [held] tasks and operations that wait until the script ends them; all others end at once
 * @property {string[]} [tasks] kinds of tasks beside those that every stage has
 * @property {(stage: import('./stage.mjs').Stage) => Promise<unknown>} [lands] what happens between the first claim and
 *   its submission
 * @property {(stage: import('./stage.mjs').Stage) => Promise<unknown>} [act] the script
 * @property {unknown} [gives] the result it must have
 * @property {RegExp} [fails] what its error must say
 * @property {true} [anyResult] it must complete, with whatever
 * @property {true} [cancelled] it must end as cancelled
 * @property {true} [neverEnds] it stays suspended
 * @property {string[]} [commands] what must be in its history in the end, and nothing more
 * @property {(stage: import('./stage.mjs').Stage) => void | Promise<void>} [then] what else must be true
 *
 * @type {Row[]}
 */
export const rows = [...flow, ...verbs, ...changes];
