import { isNativeError } from 'node:util/types'

/**
 * Something that a user can fix. Each part is one line: what failed, for which host or input; what the service
 * said, if it said anything; what to do next.
 */
export class UserError extends Error {
  constructor(what: string, hint: string, response?: string) {
    super([what, ...(response === undefined ? [] : [`It said: ${response}`]), hint].join('\n'))
    this.name = 'UserError'
  }
}

/** A service said no, and will say it again: wrong credential, or no right to do that. */
export class RefusedError extends UserError {}

/** The message of anything that was thrown, without a stack. */
export function messageOf(error: unknown): string {
  return isNativeError(error) ? error.message : String(error)
}

/** The code that Node gives a system error (`ENOENT`, `ECONNRESET`, …), or an empty string. */
export function codeOf(error: unknown): string {
  return isNativeError(error) && 'code' in error && typeof error.code === 'string' ? error.code : ''
}
