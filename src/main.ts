import { constants } from 'node:os'
import * as core from '@actions/core'
import { messageOf } from './errors/user-error.ts'
import { logAtOnce } from './runner/log.ts'
import { login } from './login.ts'
import { killChildren } from './docker/run.ts'

// A docker that outlives a cancelled step would go on to write the secret to disk. Post does the rest.
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    killChildren()
    process.exit(128 + constants.signals[signal])
  })
}

logAtOnce()
// Red until all has ended well. No top-level await: the bundler would wrap the modules of it, which takes V8 longer.
process.exitCode = 1
login()
  .then(() => {
    process.exitCode = 0
  })
  .catch((error: unknown) => {
    core.setFailed(messageOf(error))
  })
  // All is written: to take Node down in order would only take longer.
  .finally(() => process.exit())
