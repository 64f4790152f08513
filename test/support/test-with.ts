// How a test file says that it needs a real program.
import { test } from '@jest/globals'
import { missingPrograms } from './programs.ts'

const said = new Set<string>()

/**
 * jest's `test` where every named program is there, else `test.skip`; each reason is printed once a file.
 * For example: `testWith('docker')('docker keeps the login', async () => …)`.
 */
export function testWith(...names: string[]): typeof test | typeof test.skip {
  const missing = missingPrograms(names)
  if (missing.length === 0) return test
  const reason = `Tests are skipped: there is no ${missing.join(', no ')} on this machine.`
  if (!said.has(reason)) process.stderr.write(`${reason}\n`)
  said.add(reason)
  return test.skip
}
