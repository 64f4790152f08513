// A program that adds one to a number in a file, so many times, each time under the lock.
// Arguments: the lock file, the file of the number, how many times, and who it is.
import { readFileSync, writeFileSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import { withLock } from '../../../src/docker/config/lock.ts'
import { makeContext } from './context.ts'

const [lock = '', file = '', times = '0', owner = ''] = process.argv.slice(2)
for (let done = 0; done < Number(times); done++) {
  await withLock(lock, owner, makeContext({ patient: true, budgetMs: 100_000 }), async (checkOwned) => {
    const count = Number(readFileSync(file, 'utf8'))
    await turn()
    await checkOwned()
    writeFileSync(file, String(count + 1))
  })
}
