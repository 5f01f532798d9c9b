export { Duration } from '../duration.js';
export { FlovynTestEnvironment } from './environment.js';
export type { HarnessConfig, TestAwaitOptions, TestEnvironmentOptions, TestStartOptions } from './options.js';

/** The version of this kit, that of the package. */
export const TESTING_VERSION: string = '0.1.0';
