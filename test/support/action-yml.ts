// Reads the few things of action.yml that the runner acts on. Not YAML as a whole: mappings, two blanks a level, and
// plain or quoted values on one line, which is all that an action.yml needs. What it can't read, it refuses.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Action {
  /** Each input with its default; undefined where it has none. */
  inputs: Record<string, string | undefined>
  outputs: string[]
  using: string
  main: string
  post: string | undefined
}

interface Line {
  indent: number
  key: string
  value: string
}

function parseLine(text: string): Line | undefined {
  const match = /^(?<indent> *)(?<key>[\w-]+):(?: +(?<value>.*?))? *$/u.exec(text)
  if (match?.groups === undefined) return undefined
  const { indent = '', key = '', value = '' } = match.groups
  return { indent: indent.length, key, value }
}

function parseScalar(text: string): string {
  if (/^[|>[{&*!]/u.test(text)) throw new Error(`action.yml: a value that this can't read: ${text}`)
  if (text.startsWith('"')) return JSON.parse(text.replace(/\s+#.*$/u, '')) as string
  const single = /^'(?<inner>(?:[^']|'')*)'\s*(?:#.*)?$/u.exec(text)
  if (single?.groups !== undefined) return (single.groups['inner'] ?? '').replaceAll("''", "'")
  return text.replace(/\s+#.*$/u, '')
}

/** Every mapping entry with the keys that lead to it, for example ['inputs', 'region', 'default']. */
function* walk(text: string): Generator<{ keys: string[]; value: string }> {
  const keys: string[] = []
  let block = Infinity
  for (const line of text.split(/\r?\n/u)) {
    if (/^\s*(?:#|$)/u.test(line) || line.search(/\S/u) > block) continue
    const parsed = parseLine(line)
    if (parsed === undefined) throw new Error(`action.yml: a line that this can't read: ${line}`)
    keys.splice(parsed.indent / 2, Infinity, parsed.key)
    // Lines that lie deeper than a value belong to it, as in `description: >-` or a long plain text.
    block = parsed.value === '' ? Infinity : parsed.indent
    yield { keys: [...keys], value: parsed.value }
  }
}

export function parseAction(text: string): Action {
  const action: Action = { inputs: {}, outputs: [], using: '', main: '', post: undefined }
  for (const { keys, value } of walk(text)) {
    const [section, name = '', property] = keys
    if (section === 'inputs' && keys.length === 2) action.inputs[name] = undefined
    if (section === 'inputs' && property === 'default') action.inputs[name] = parseScalar(value)
    if (section === 'outputs' && keys.length === 2) action.outputs.push(name)
    if (section === 'runs' && (name === 'using' || name === 'main' || name === 'post'))
      action[name] = parseScalar(value)
  }
  return action
}

export function readAction(directory: string): Action {
  const action = parseAction(readFileSync(join(directory, 'action.yml'), 'utf8'))
  if (action.using !== 'node24') throw new Error(`action.yml: runs.using is '${action.using}', not node24`)
  if (action.main === '') throw new Error('action.yml: runs.main is missing')
  return action
}
