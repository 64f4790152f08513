import * as core from '@actions/core'
import { messageOf } from './errors.ts'
import { login } from './login.ts'

try {
  await login()
} catch (error) {
  core.setFailed(messageOf(error))
}
