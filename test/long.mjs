// Test files that `npm test` leaves to `npm run test:all`, so that it takes two minutes at most. One that is named by a word
// (`npm test -- e2e/faults`) runs all the same.
import { basename } from 'node:path'

const LONG = [
  'bench/fleet/fleet',
  'test/e2e/faults',
  'test/e2e/hostile',
  'test/e2e/injection',
  'test/e2e/kill',
  'test/e2e/leaks',
  'test/e2e/left-behind',
  'test/e2e/lies',
  'test/e2e/mint-revoke',
  'test/e2e/odd-secrets',
  'test/e2e/parallel',
  'test/e2e/retries',
  'test/unit/injection',
  // Slow tests of otherwise short files.
  '.long'
]

const words = process.argv.slice(2)
const leftOut = LONG.filter((path) => !words.some((word) => word.includes(basename(path))))

/** For jest's `testPathIgnorePatterns`. */
export const longPatterns = leftOut.map((path) => `${path}[.]test[.]ts$`)

/** A jest reporter that ends with what was left out. */
export default class LongReporter {
  onRunComplete() {
    if (leftOut.length > 0) console.log(`\nLeft to npm run test:all: ${leftOut.join(', ')}`)
  }
}
