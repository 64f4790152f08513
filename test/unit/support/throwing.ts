// The message of what is thrown, which must be an error that a user can fix.
import { expect } from '@jest/globals'
import { UserError } from '../../../src/errors/user-error.ts'

export async function userError(work: Promise<unknown> | (() => unknown)): Promise<string> {
  let thrown: unknown
  try {
    await (typeof work === 'function' ? work() : work)
  } catch (error) {
    thrown = error
  }
  expect(thrown).toBeInstanceOf(UserError)
  const { message } = thrown as UserError
  // What failed, perhaps what was said, and what to do.
  expect(message.split('\n').length).toBeGreaterThanOrEqual(2)
  return message
}
