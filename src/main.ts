import { constants } from 'node:os'
import * as core from '@actions/core'
import { messageOf } from './errors.ts'
import { login } from './login.ts'
import { endChildren } from './process.ts'

// A docker that outlives a cancelled step would go on to write the secret to disk. Post does the rest.
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    endChildren()
    process.exit(128 + constants.signals[signal])
  })
}

try {
  await login()
} catch (error) {
  core.setFailed(messageOf(error))
}
