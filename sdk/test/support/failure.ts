/** The error that a promise is rejected with; throws if it is not. */
export async function failureOf(promise: Promise<unknown>): Promise<Error> {
  const outcome = await Promise.allSettled([promise]);
  if (outcome[0].status === 'fulfilled')
    throw new Error(`expected an error, got ${String(outcome[0].value)}`);
  return outcome[0].reason as Error;
}
