/**
 * Edits of a JSON text that leave every other byte as it is: key order, numbers that no double can hold, escapes.
 * docker writes `<` as `\u003c`, so that parsing and writing again would not give back its own file.
 * Every text given to these functions must be valid JSON with an object at the top.
 */

interface Member {
  readonly key: string
  readonly start: number
  readonly valueStart: number
  readonly end: number
}

interface ObjectSpan {
  readonly open: number
  readonly close: number
  readonly members: readonly Member[]
}

/** The text with `value` under the keys of `path`, whose last object may be missing. */
export function setAt(text: string, path: readonly [string, ...string[]], value: unknown): string {
  const { span, rest, depth } = descend(text, path)
  const [key = '', ...missing] = rest
  const nested = missing.reduceRight((inner, name) => ({ [name]: inner }), value)
  const layout = layoutOf(text)
  const member = span.members.findLast((other) => other.key === key)
  if (member !== undefined) {
    return splice(text, member.valueStart, member.end, layout.format(nested, depth + 1))
  }
  const line = `${layout.lineAt(depth + 1)}${JSON.stringify(key)}:${layout.blank}${layout.format(nested, depth + 1)}`
  const last = span.members.at(-1)
  return last === undefined
    ? splice(text, span.open, span.close + 1, `{${line}${layout.lineAt(depth)}}`)
    : splice(text, last.end, last.end, `,${line}`)
}

/** The text without the last key of `path`; the same text where it has no such key. */
export function removeAt(text: string, path: readonly [string, ...string[]]): string {
  const { span, rest } = descend(text, path)
  const at = rest.length === 1 ? span.members.findLastIndex(({ key }) => key === rest[0]) : -1
  const member = span.members[at]
  if (member === undefined) return text
  const [before, after] = [span.members[at - 1], span.members[at + 1]]
  if (before !== undefined) return splice(text, before.end, member.end, '')
  if (after !== undefined) return splice(text, member.start, after.start, '')
  return splice(text, span.open, span.close + 1, '{}')
}

function splice(text: string, from: number, to: number, insert: string): string {
  return text.slice(0, from) + insert + text.slice(to)
}

/** The deepest object on the way along `path`, all keys but the last; what of the path is left; how deep it is. */
function descend(
  text: string,
  path: readonly string[]
): { span: ObjectSpan; rest: readonly string[]; depth: number } {
  let span = scanObject(text, text.indexOf('{'))
  for (let depth = 0; ; depth++) {
    const member = span.members.findLast(({ key }) => key === path[depth])
    if (depth === path.length - 1 || member === undefined || text[member.valueStart] !== '{') {
      return { span, rest: path.slice(depth), depth }
    }
    span = scanObject(text, member.valueStart)
  }
}

function scanObject(text: string, open: number): ObjectSpan {
  const members: Member[] = []
  let at = skipBlank(text, open + 1)
  while (text[at] !== '}') {
    const start = at
    const keyEnd = skipValue(text, start)
    const valueStart = skipBlank(text, skipBlank(text, keyEnd) + 1)
    const end = skipValue(text, valueStart)
    members.push({ key: JSON.parse(text.slice(start, keyEnd)) as string, start, valueStart, end })
    at = skipBlank(text, end)
    if (text[at] === ',') at = skipBlank(text, at + 1)
  }
  return { open, close: at, members }
}

function skipBlank(text: string, at: number): number {
  return skip(/[ \t\r\n]*/y, text, at)
}

function skipValue(text: string, at: number): number {
  if (text[at] === '"') return skip(STRING, text, at)
  if (text[at] !== '{' && text[at] !== '[') return skip(/[^\s,\]}]*/y, text, at)
  let depth = 0
  for (let next = at; ;) {
    const character = text[next]
    if (character === '{' || character === '[') depth++
    if (character === '}' || character === ']') depth--
    next = character === '"' ? skip(STRING, text, next) : next + 1
    if (depth === 0) return next
  }
}

const STRING = /"[^"\\]*(?:\\.[^"\\]*)*"/y

function skip(token: RegExp, text: string, at: number): number {
  token.lastIndex = at
  return at + (token.exec(text)?.[0].length ?? 0)
}

interface Layout {
  readonly blank: string
  /** What stands before a member at this depth. */
  lineAt(depth: number): string
  format(value: unknown, depth: number): string
}

/** How the text is laid out: on lines, with which indent; or on one line. Where it is empty, as docker does it. */
function layoutOf(text: string): Layout {
  const open = text.indexOf('{')
  const first = /^\{(\s*)"/.exec(text.slice(open))?.[1]
  const indent = first === undefined ? '\t' : /\n([ \t]*)$/.exec(first)?.[1]
  if (indent === undefined) return { blank: '', lineAt: () => '', format: (value) => stringify(value) }
  const newline = text.includes('\r\n') ? '\r\n' : '\n'
  const lineAt = (depth: number): string => newline + indent.repeat(depth)
  return {
    blank: ' ',
    lineAt,
    format: (value, depth) => stringify(value, indent).replaceAll('\n', lineAt(depth))
  }
}

/** JSON as docker writes it (Go's encoding/json), so that an entry of its own that is put back is the same again. */
function stringify(value: unknown, indent?: string): string {
  return JSON.stringify(value, undefined, indent).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  )
}
