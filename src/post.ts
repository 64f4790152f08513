import * as core from '@actions/core'
import { cleanUp } from './cleanup.ts'
import { messageOf } from './errors/user-error.ts'
import { logAtOnce } from './runner/log.ts'

logAtOnce()
cleanUp()
  .catch((error: unknown) => {
    core.warning(messageOf(error))
  })
  // All is written: to take Node down in order would only take longer.
  .finally(() => process.exit())
