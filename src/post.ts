import * as core from '@actions/core'
import { cleanUp } from './cleanup.ts'
import { messageOf } from './errors.ts'

try {
  await cleanUp()
} catch (error) {
  core.warning(messageOf(error))
}
