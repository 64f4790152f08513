// What the README tells users to write, and the programs that it has them call.
import { existsSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { needProgram } from '../support/programs.ts'
import { workflowsIn } from '../support/yaml-in-markdown.ts'
import { linkPrograms } from './act.ts'

export const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8')
const recorder = join(import.meta.dirname, 'stand-ins/recorder.mjs')

/** The workflows of the README by their headings; from a chapter's second one on with their number. */
export function readRecipes(): Map<string, string> {
  const recipes = new Map<string, string>()
  for (const { line, workflow } of workflowsIn(readme)) {
    const before = readme.split('\n').slice(0, line)
    const heading = before.findLast((text) => /^##+ /u.test(text))?.replace(/^#+ /u, '') ?? ''
    let name = heading
    for (let number = 2; recipes.has(name); number += 1) name = `${heading} (${number})`
    recipes.set(name, workflow)
  }
  return recipes
}

export interface Call {
  program: string
  argv: string[]
  /** The text of each file that it was told of. */
  files: Record<string, string>
  env: Record<string, string>
  /** What `kubectl apply` was given. */
  input: string
}

/** Programs that are there, each behind a recorder; and those that would need a cloud, for which a recorder stands in. */
const REAL = ['jq', 'kubectl', 'mktemp', 'rm']
const STAND_INS = ['cf', 'ibmcloud']

export interface RecordedPrograms {
  /** For the PATH. */
  folder: string
  /** All calls so far, in the order in which they began; of a pipeline's, any order. */
  calls: () => Call[]
}

/** @param folder does not exist yet */
export function recordPrograms(folder: string): RecordedPrograms {
  linkPrograms(folder, [])
  for (const name of [...REAL, ...STAND_INS]) symlinkSync(recorder, join(folder, name))
  for (const name of REAL) symlinkSync(needProgram(name), join(folder, `${name}.real`))
  const file = join(folder, 'calls.jsonl')
  const lines = (): string[] => (existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [])
  return { folder, calls: () => lines().map((line) => JSON.parse(line) as Call) }
}

/** The one call of a program, by the words that it begins with. */
export function callOf(calls: readonly Call[], ...words: string[]): Call {
  const found = calls.filter(({ program, argv }) =>
    words.every((word, at) => [program, ...argv][at] === word)
  )
  const [call] = found
  if (call === undefined || found.length > 1) throw new Error(`${words.join(' ')}: ${found.length} calls`)
  return call
}
