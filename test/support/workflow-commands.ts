// What a step says to the GitHub runner: commands in its output, and files. The rules are those of actions/runner
// 258d6c8: ActionCommand.cs, ActionCommandManager.cs and FileCommandManager.cs.

export interface Command {
  command: string
  properties: Record<string, string>
  value: string
}

// The runner has switched two of these off and will switch off the other two: files took their place.
const ended = new Set(['set-output', 'save-state', 'set-env', 'add-path'])

const known = new Set([
  ...ended,
  ...['add-mask', 'add-matcher', 'remove-matcher', 'stop-commands', 'echo'],
  ...['debug', 'notice', 'warning', 'error', 'group', 'endgroup']
])

const unescapeValue = (text: string): string =>
  text.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%')

const unescapeProperty = (text: string): string =>
  text
    .replaceAll('%0D', '\r')
    .replaceAll('%0A', '\n')
    .replaceAll('%3A', ':')
    .replaceAll('%2C', ',')
    .replaceAll('%25', '%')

function parseProperties(text: string): Record<string, string> {
  const pairs = text.split(',').map((pair) => pair.trim())
  return Object.fromEntries(
    pairs
      .filter((pair) => pair.indexOf('=') > 0)
      .map((pair) => [pair.slice(0, pair.indexOf('=')), unescapeProperty(pair.slice(pair.indexOf('=') + 1))])
  )
}

/** `::name key=value,key=value::value`, at the start of a line but for blanks. */
function parseColons(line: string): Command | undefined {
  const match = /^\s*::(?<name>[^\s:]+)(?:\s(?<properties>.*?))?::(?<value>.*)$/su.exec(line)
  if (match?.groups === undefined) return undefined
  const { name = '', properties = '', value = '' } = match.groups
  return { command: name, properties: parseProperties(properties), value: unescapeValue(value) }
}

/** `##[name key=value;key=value]value`, the older form, anywhere in a line. */
function parseBrackets(line: string): Command | undefined {
  const match = /##\[(?<name>[^\s\]]+)(?:\s(?<properties>[^\]]*))?\](?<value>.*)$/su.exec(line)
  if (match?.groups === undefined) return undefined
  const { name = '', properties = '', value = '' } = match.groups
  return {
    command: name,
    properties: parseProperties(properties.replaceAll(';', ',')),
    value: unescapeValue(value)
  }
}

/** Reads the lines of one step in order: `stop-commands` makes the runner deaf until its token comes. */
export class CommandReader {
  #stopToken: string | undefined

  /** The command that a line is, or undefined where the runner would print the line as it stands. */
  read(line: string): Command | undefined {
    const command = parseColons(line) ?? parseBrackets(line)
    if (command === undefined) return undefined
    if (this.#stopToken !== undefined) return this.#resume(command)
    if (!known.has(command.command)) return undefined
    if (ended.has(command.command)) throw new Error(`'${command.command}' is a command of the past: ${line}`)
    if (command.command === 'stop-commands') this.#stopToken = command.value
    return command
  }

  #resume(command: Command): Command | undefined {
    if (command.command !== this.#stopToken) return undefined
    this.#stopToken = undefined
    return command
  }
}

/** One entry of a file and what is left after it. */
interface Entry {
  key: string
  value: string
  rest: string[]
}

function readHeredoc(line: string, lines: string[]): Entry {
  const at = line.indexOf('<<')
  const [key, delimiter] = [line.slice(0, at), line.slice(at + 2)]
  if (key === '' || delimiter === '')
    throw new Error(`Invalid format '${line}'. Name and delimiter must not be empty`)
  const end = lines.indexOf(delimiter)
  if (end < 0) throw new Error(`Invalid value. Matching delimiter not found '${delimiter}'`)
  return { key, value: lines.slice(0, end).join('\n'), rest: lines.slice(end + 1) }
}

function readEntry(line: string, lines: string[]): Entry {
  const [equals, heredoc] = [line.indexOf('='), line.indexOf('<<')]
  if (heredoc >= 0 && (equals < 0 || heredoc < equals)) return readHeredoc(line, lines)
  if (equals < 0) throw new Error(`Invalid format '${line}'`)
  if (equals === 0) throw new Error(`Invalid format '${line}'. Name must not be empty`)
  return { key: line.slice(0, equals), value: line.slice(equals + 1), rest: lines }
}

/** The text of GITHUB_OUTPUT, GITHUB_STATE or GITHUB_ENV as names and values. Throws where the runner would. */
export function parseFile(text: string): Record<string, string> {
  const values: Record<string, string> = {}
  let lines = text.split(/\r?\n/u)
  while (lines.length > 0) {
    const [line = '', ...after] = lines
    lines = after
    if (line === '') continue
    const { key, value, rest } = readEntry(line, after)
    values[key] = value
    lines = rest
  }
  return values
}

/** The text of GITHUB_PATH: one folder a line. */
export function parsePathFile(text: string): string[] {
  return text.split(/\r?\n/u).filter((line) => line !== '')
}
