import { isNativeError } from 'node:util/types'

/**
 * Something that a user can fix. Each part is one line: what failed, for which host or input; what the service
 * said, if it said anything; what to do next.
 */
export class UserError extends Error {
  constructor(what: string, cure: string, said?: string) {
    super([what, ...(said === undefined ? [] : [`It said: ${said}`]), cure].join('\n'))
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

/** Every secret that this step was given or has made, so that none of them comes back in the words of a service. */
export const knownSecrets = new Set<string>()

/** The most characters of a foreign text that are shown. */
export const LONGEST_QUOTE = 200

/** Text from outside as it may stand in a message: one line of printable ASCII, at most 200 characters. */
export function quote(text: string): string {
  const shown = text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}…` : text
  return escapeLine(shown.trim().replace(/\s+/g, ' ')).replace(/[^\x20-\x7e…]/gu, escapeCharacter)
}

/**
 * A line that the runner takes for text: without control characters, and with none of its commands (`::…::` at the
 * start, `##[…]` anywhere; facts/clients-and-runner.md, "The runner").
 */
export function escapeLine(line: string): string {
  return (
    line
      // Written out: \p{…} has ICU build the classes anew in each process, which is 1 ms.
      // eslint-disable-next-line no-control-regex
      .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, escapeCharacter)
      .replace(/^(\s*)::/, '$1:\\u{3a}')
      .replaceAll('##[', '#\\u{23}[')
  )
}

function escapeCharacter(character: string): string {
  return `\\u{${Number(character.codePointAt(0)).toString(16)}}`
}

/**
 * Names in a sentence: `a`, `a and b`, `a, b and c`. Written here because Intl.ListFormat loads the rules of all
 * languages, which takes longer than all else that a login does itself (docs/performance.md).
 */
export function formatList(names: readonly string[], word: 'and' | 'or' = 'and'): string {
  const parts = [names.slice(0, -1).join(', '), ...names.slice(-1)]
  return parts.filter((part) => part !== '').join(` ${word} `)
}
