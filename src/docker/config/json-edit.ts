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

type Path = readonly [string, ...string[]]

/** The text with `value` under the keys of `path`, whose last object may be missing. */
export function setAt(text: string, path: Path, value: unknown): string {
  const { span, member, key, rest, depth } = descend(text, path)
  const nested = rest.reduceRight((inner, name) => ({ [name]: inner }), value)
  const layout = layoutOf(text)
  if (member !== undefined) {
    return splice(text, member.valueStart, member.end, layout.format(nested, depth))
  }
  const line = `${layout.lineAt(depth)}${JSON.stringify(key)}:${layout.blank}${layout.format(nested, depth)}`
  const last = span.members.at(-1)
  return last === undefined
    ? splice(text, span.open, span.close + 1, `{${line}${layout.lineAt(depth - 1)}}`)
    : splice(text, last.end, last.end, `,${line}`)
}

/** The text without the last key of `path`; the same text where it has no such key. */
export function removeAt(text: string, path: Path): string {
  const { span, member, at, rest } = descend(text, path)
  if (member === undefined || rest.length > 0) return text
  const [before, after] = [span.members[at - 1], span.members[at + 1]]
  if (before !== undefined) return splice(text, before.end, member.end, '')
  if (after !== undefined) return splice(text, member.start, after.start, '')
  return splice(text, span.open, span.close + 1, '{}')
}

function splice(text: string, from: number, to: number, insert: string): string {
  return text.slice(0, from) + insert + text.slice(to)
}

/** How far a path leads. */
interface Place {
  /** The deepest object on the way, and how deep its members are. */
  readonly span: ObjectSpan
  readonly depth: number
  /** What is looked for in it: the last of its members with that key, if there is one. */
  readonly key: string
  readonly at: number
  readonly member: Member | undefined
  /** What is left of the path below that. */
  readonly rest: readonly string[]
}

function descend(text: string, [key, ...rest]: Path, open = text.indexOf('{'), depth = 1): Place {
  const span = scanObject(text, open)
  const at = span.members.findLastIndex((member) => member.key === key)
  const member = span.members[at]
  if (!isPath(rest) || member === undefined || text[member.valueStart] !== '{') {
    return { span, depth, key, at, member, rest }
  }
  return descend(text, rest, member.valueStart, depth + 1)
}

function isPath(keys: readonly string[]): keys is Path {
  return keys.length > 0
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
  token.test(text)
  return token.lastIndex
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
