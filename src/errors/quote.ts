/** The most characters of a foreign text that are shown. */
export const MAX_QUOTE = 200

/** Text from outside as it may stand in a message: one line of printable ASCII, at most 200 characters. */
export function quote(text: string): string {
  const shown = text.length > MAX_QUOTE ? `${text.slice(0, MAX_QUOTE)}…` : text
  return escapeLine(shown.trim().replace(/\s+/g, ' ')).replace(/[^\x20-\x7e…]/gu, escapeCharacter)
}

/**
 * A line that the runner takes for text: without control characters, and with none of its commands (`::…::` at the
 * start, `##[…]` anywhere; docs/references.md, "Runner").
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

/** A time as ISO 8601 in UTC, to the second. */
export function formatTime(time: Date): string {
  return time.toISOString().replace(/\.\d+Z$/, 'Z')
}

/** Whether a value is a time as `formatTime` writes it. */
export function isTime(value: unknown): boolean {
  return typeof value === 'string' && /^(?:\d{4}|[+-]\d{6})-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(value)
}
