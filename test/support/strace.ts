// Runs an action's steps under strace: every program that they start, with its arguments and its environment, and every
// byte that the step itself writes, in the order in which it does.
import { cpSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import type { StartedProcess } from './leak-scan.ts'
import { node24 } from './node24-path.mjs'
import { needProgram } from './programs.ts'

export interface TracedAction {
  /** Goes into `startJob({ action })`. */
  directory: string
  /** Every program that the steps have started so far; not the steps themselves, which the runner starts. */
  processes(): StartedProcess[]
  /** What Node wrote, to wherever: one text for each call, in order. */
  writes(): Write[]
  close(): void
}

export interface Write {
  /** 1 is standard output; anything else is a file, a pipe or a socket. */
  descriptor: number
  text: string
}

const STARTS = 'execve,execveat,clone,?clone3,?fork,?vfork'
const WRITES = 'write,writev,pwrite64,pwritev,sendto,sendmsg'

/** Stands in for dist/main/index.js or dist/post/index.js, and is as quiet as it. */
function wrapper(strace: string, traces: string, script: string): string {
  const options = ['-ff', '-v', '-s', '65536', '-ttt', '-e', `trace=${STARTS},${WRITES}`, '-e', 'signal=none']
  return `import { spawn } from 'node:child_process'
const options = ${JSON.stringify([...options, '-o'])}
const trace = ${JSON.stringify(join(traces, 'step-'))} + process.pid
const child = spawn(${JSON.stringify(strace)}, [...options, trace, ${JSON.stringify(node24())}, ${JSON.stringify(script)}], {
  stdio: 'inherit'
})
child.on('exit', (code, signal) => process.exit(signal === null ? code : 1))
`
}

/** The action as it is committed in dist, under strace. */
export function traceAction(): TracedAction {
  const root = join(import.meta.dirname, '../..')
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'icr-login-traced-')))
  const traces = realpathSync(mkdtempSync(join(tmpdir(), 'icr-login-traces-')))
  const strace = needProgram('strace')
  cpSync(join(root, 'dist'), join(directory, 'dist'), { recursive: true })
  const action = readFileSync(join(root, 'action.yml'), 'utf8')
  writeFileSync(join(directory, 'action.yml'), action.replace(/dist\/(main|post)\/index\.js/gu, '$1.mjs'))
  for (const phase of ['main', 'post']) {
    const script = join(directory, 'dist', phase, 'index.js')
    writeFileSync(join(directory, `${phase}.mjs`), wrapper(strace, traces, script))
  }
  return {
    directory,
    processes: () =>
      readCalls(traces)
        .flatMap(processOf)
        .filter(({ program }) => program !== STEP),
    writes: () => {
      const calls = readCalls(traces)
      const others = threadsOfOthers(calls)
      return calls.filter(({ thread }) => !others.has(thread)).flatMap(writeOf)
    },
    close() {
      for (const folder of [directory, traces]) rmSync(folder, { recursive: true, force: true })
    }
  }
}

/** How a step's own Node is called here. */
const STEP = 'the step'

interface Call {
  thread: string
  at: number
  line: string
}

/** Of all threads, in the order in which they were made. Each thread has a file of its own, so none is split in two. */
function readCalls(traces: string): Call[] {
  const calls = readdirSync(traces).flatMap((file) =>
    readFileSync(join(traces, file), 'latin1')
      .split('\n')
      .flatMap((text): Call[] => {
        const [, at, line] = /^(\d+\.\d+) (\w+\(.*)$/u.exec(text) ?? []
        return at === undefined || line === undefined
          ? []
          : [{ thread: file.slice(file.lastIndexOf('.') + 1), at: Number(at), line }]
      })
  )
  return calls.sort((a, b) => a.at - b.at)
}

/** A call that starts another program than the step's own Node. */
function isOther(line: string): boolean {
  const [process] = processOf({ line })
  return process !== undefined && process.program !== STEP
}

/** The threads of all other programs: those that became one, and those that such a thread has made. */
function threadsOfOthers(calls: readonly Call[]): ReadonlySet<string> {
  const others = new Set<string>()
  for (const { thread, line } of calls) {
    if (isOther(line)) others.add(thread)
    const made = /^(?:clone3?|v?fork)\(.* = (\d+)$/u.exec(line)?.[1]
    if (made !== undefined && others.has(thread)) others.add(made)
  }
  return others
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', v: '\v', f: '\f' }

/** A string as C writes it, without the quotes. */
function unescape(text: string): string {
  const bytes = text.replace(/\\(?:([0-7]{1,3})|(.))/gsu, (_, octal: string | undefined, letter = '') =>
    octal === undefined
      ? (ESCAPES[letter as string] ?? (letter as string))
      : String.fromCharCode(parseInt(octal, 8))
  )
  return Buffer.from(bytes, 'latin1').toString('utf8')
}

const STRING = /"((?:[^"\\]|\\.)*)"(\.\.\.)?/gu

/** Every string of a call; one that strace has cut short would hide a leak. */
function stringsOf(text: string): string[] {
  return [...text.matchAll(STRING)].map(([, inner = '', cut]) => {
    if (cut !== undefined) throw new Error(`strace cut a string short: ${inner.slice(0, 80)}`)
    return unescape(inner)
  })
}

const LIST = String.raw`\[((?:"(?:[^"\\]|\\.)*"(?:, )?)*)\]`
const EXECVE = new RegExp(`^execve(?:at)?\\((?:[^"]*)"((?:[^"\\\\]|\\\\.)*)", ${LIST}, ${LIST}`, 'u')

function processOf({ line }: Pick<Call, 'line'>): StartedProcess[] {
  if (!line.startsWith('execve')) return []
  const [, path = '', argv = '', env = ''] = EXECVE.exec(line) ?? []
  if (path === '') throw new Error(`a call that this can't read: ${line.slice(0, 200)}`)
  const variables = stringsOf(env).map((text): [string, string] => {
    const at = text.indexOf('=')
    return [text.slice(0, at), text.slice(at + 1)]
  })
  const isStep = unescape(path) === node24() && 'GITHUB_ACTIONS' in Object.fromEntries(variables)
  const program = isStep ? STEP : basename(unescape(path))
  return [{ program, argv: stringsOf(argv), env: Object.fromEntries(variables) }]
}

function writeOf({ line }: Call): Write[] {
  const descriptor = /^(?:write|writev|pwrite64|pwritev|sendto|sendmsg)\((\d+)/u.exec(line)?.[1]
  return descriptor === undefined ? [] : [{ descriptor: Number(descriptor), text: stringsOf(line).join('') }]
}
