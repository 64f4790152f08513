import { AsyncLocalStorage } from 'node:async_hooks'
import { type ChildProcess, execFileSync } from 'node:child_process'
import { subscribe } from 'node:diagnostics_channel'
import { readdirSync, readFileSync } from 'node:fs'
import { extname, isAbsolute, join } from 'node:path'
import { exec } from '@actions/exec'
import { findInPath } from '@actions/io'
import { quote } from '../errors/quote.ts'
import { messageOf, UserError } from '../errors/user-error.ts'

export interface Finished {
  /** The exit code; undefined where a signal ended the process, or it ran out of time. */
  readonly code: number | undefined
  readonly signal: string | undefined
  readonly stdout: string
  readonly stderr: string
}

interface RunOptions {
  /** What the program reads on its standard input. */
  readonly input: string
  readonly env: Readonly<Record<string, string>>
  /** After this time, in milliseconds, the program and all that it started is killed. */
  readonly timeoutMs: number
  /** What is kept of each output, in bytes; 64 KiB if not set. */
  readonly maxOutputBytes?: number
}

/**
 * The path of a program on the PATH; undefined where there is none. The working directory is not searched, and on
 * Windows only what starts without a shell counts.
 */
export async function findProgram(name: string): Promise<string | undefined> {
  const startable = (file: string): boolean =>
    process.platform !== 'win32' || ['.exe', '.com'].includes(extname(file).toLowerCase())
  return (await findInPath(name)).find((file) => isAbsolute(file) && startable(file))
}

const MAX_OUTPUT_BYTES = 64 * 1024
/** How long the output is read after the program has ended, where a process that it left behind holds it open. */
const OUTPUT_GRACE_MS = 1_000

const running = new Set<ChildProcess>()
const starting = new AsyncLocalStorage<(child: ChildProcess) => void>()

// `exec` keeps its child to itself; Node publishes each child that is made (docs/references.md, "Node").
subscribe('child_process', (message) => {
  starting.getStore()?.((message as { process: ChildProcess }).process)
})

/** Ends every program that `run` has started, and all that they started, because the step itself is being ended. */
export function killChildren(): void {
  for (const { pid } of running) if (pid !== undefined) killTree(pid)
}

/**
 * Runs a program to its end, with a secret on its standard input where it needs one; none of its output is printed.
 * @param file absolute path of the program
 * @throws UserError where the program can't be started
 */
export async function run(file: string, args: readonly string[], options: RunOptions): Promise<Finished> {
  const { input, env, timeoutMs, maxOutputBytes = MAX_OUTPUT_BYTES } = options
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  let child: ChildProcess | undefined
  const onStart = (started: ChildProcess): void => {
    child = started
    child.once('spawn', () => {
      running.add(started)
      // A program that ends before it has read its input: its exit code says why.
      started.stdin?.on('error', () => undefined)
      const timer = setTimeout(() => {
        killTree(Number(started.pid))
      }, timeoutMs)
      started.once('exit', () => {
        running.delete(started)
        clearTimeout(timer)
      })
    })
  }
  const keep = (chunks: Buffer[], stream: 'stdout' | 'stderr'): ((chunk: Buffer) => void) => {
    let size = 0
    return (chunk) => {
      chunks.push(chunk)
      size += chunk.length
      // The rest is read and dropped: a program that waits for a reader would not end.
      if (size >= maxOutputBytes) child?.[stream]?.removeAllListeners('data').resume()
    }
  }
  try {
    await starting.run(onStart, async () =>
      exec(`"${file.replaceAll('"', '\\"')}"`, [...args], {
        input: Buffer.from(input),
        env: { ...env },
        silent: true,
        ignoreReturnCode: true,
        delay: OUTPUT_GRACE_MS,
        listeners: { stdout: keep(stdout, 'stdout'), stderr: keep(stderr, 'stderr') }
      })
    )
    if (child === undefined) throw new Error('Node did not publish the child process')
    // A process that was left behind can hold them open.
    child.stdout?.destroy()
    child.stderr?.destroy()
    return {
      code: child.exitCode ?? undefined,
      signal: child.signalCode ?? undefined,
      stdout: Buffer.concat(stdout).toString(),
      stderr: Buffer.concat(stderr).toString()
    }
  } catch (error) {
    throw new UserError(
      `${file} can't be started: ${quote(messageOf(error).replace(/^.*Error: /s, ''))}`,
      'Check that it is a program for this operating system and processor.'
    )
  }
}

/**
 * Ends a process and all its descendants: a credential helper that docker started, a docker behind a wrapper script.
 * A process whose parent has ended (a key agent) is not a descendant.
 * @param pid of a child of this process
 */
function killTree(pid: number): void {
  if (process.platform === 'win32') {
    const taskkill = join(process.env['SystemRoot'] ?? 'C:\\Windows', 'System32', 'taskkill.exe')
    ignoreErrors(() => execFileSync(taskkill, ['/pid', String(pid), '/t', '/f'], { stdio: 'ignore' }))
    return
  }
  const tree = new Set([pid])
  for (const member of tree) {
    // A stopped process starts no further children while the tree is read.
    ignoreErrors(() => process.kill(member, 'SIGSTOP'))
    for (const [child, parent] of listProcesses()) if (parent === member) tree.add(child)
  }
  for (const member of tree) ignoreErrors(() => process.kill(member, 'SIGKILL'))
}

/** Each process of this machine with its parent, by ID. */
function listProcesses(): [pid: number, parent: number][] {
  if (process.platform !== 'linux') {
    const lines = execFileSync('/bin/ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n')
    return lines.map((line) => line.trim().split(/\s+/).map(Number) as [number, number])
  }
  return readdirSync('/proc').flatMap((name) => {
    const pid = Number(name)
    return Number.isInteger(pid) ? [[pid, parentOf(pid)]] : []
  })
}

/** 0 for a process that has ended since. */
function parentOf(pid: number): number {
  try {
    // proc(5): the fourth field; the second, the name, is in parentheses and can hold both blanks and parentheses.
    return Number(/.*\) \S (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1])
  } catch {
    return 0
  }
}

/** A process that is gone already is no error. */
function ignoreErrors(work: () => unknown): void {
  try {
    work()
  } catch {
    // It ended by itself.
  }
}
