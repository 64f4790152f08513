// What test/coverage/run.mjs measures in the processes that the tests start.

/** The folder of an action that runs src, where its runs write down what they covered; undefined where none is measured. */
export const covered = process.env['ICR_LOGIN_COVERAGE']

/** The environment of a child that runs src. Where coverage is measured, it writes down what it covered. */
export function measured(env: Record<string, string> = {}): Record<string, string> {
  return covered === undefined ? env : { ...env, NODE_V8_COVERAGE: covered }
}
