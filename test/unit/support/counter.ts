// A program that adds one to a number in a file, so many times, each time under the lock.
// Arguments: the lock file, the file of the number, how many times.
import { readFileSync, writeFileSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import { acquireLock } from '../../../src/docker/config/lock.ts'
import { makeContext } from './context.ts'

const [path = '', file = '', times = '0'] = process.argv.slice(2)
for (let done = 0; done < Number(times); done++) {
  const lock = await acquireLock(path, makeContext({ patient: true, budgetMs: 100_000 }))
  const count = Number(readFileSync(file, 'utf8'))
  await turn()
  lock.check()
  writeFileSync(file, String(count + 1))
  lock.release()
}
