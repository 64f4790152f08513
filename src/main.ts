import { constants } from 'node:os'
import { killChildren } from './docker/run.ts'
import { messageOf } from './errors/user-error.ts'
import { login } from './login.ts'
import { fail } from './runner/log.ts'
import { saveEnded } from './runner/state.ts'

// A docker that outlives a cancelled step would go on to write the secret to disk. Post does the rest.
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    killChildren()
    saveEnded()
    process.exit(128 + constants.signals[signal])
  })
}

// Failed until the login has succeeded. No top-level await: the bundler would make every module asynchronous.
process.exitCode = 1
login()
  .then(() => {
    process.exitCode = 0
  })
  .catch((error: unknown) => {
    fail(messageOf(error))
  })
  // The log is flushed first; what is open besides need not be waited for.
  .finally(() => process.stdout.write('', () => process.exit()))
