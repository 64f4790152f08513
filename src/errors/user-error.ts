import { isNativeError } from 'node:util/types'

/**
 * Something that a user can fix. Each part is one line: what failed, for which host or input; what the service
 * said, if it said anything; what to do next.
 */
export class UserError extends Error {
  /** What failed and what the service said, without what to do next. */
  readonly summary: string

  constructor(what: string, hint: string, response?: string) {
    const summary = response === undefined ? what : `${what}\nIt said: ${response}`
    super(`${summary}\n${hint}`)
    this.name = 'UserError'
    this.summary = summary
  }
}

/** A service refused, and will refuse again: wrong credential, or no permission. */
export class RefusedError extends UserError {
  /** Whether the service did not accept the credential at all, as opposed to what was requested with it. */
  unauthenticated = false
}

/** The message of anything that was thrown, without a stack. */
export function messageOf(error: unknown): string {
  return isNativeError(error) ? error.message : String(error)
}

/** The code that Node gives a system error (`ENOENT`, `ECONNRESET`, …), or an empty string. */
export function codeOf(error: unknown): string {
  return isNativeError(error) && 'code' in error && typeof error.code === 'string' ? error.code : ''
}
