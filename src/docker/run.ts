import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process'

export interface Finished {
  /** The exit code; undefined where a signal ended the process, or it ran out of time. */
  readonly code: number | undefined
  readonly signal: string | undefined
  readonly stdout: string
  readonly stderr: string
}

const running = new Set<ChildProcess>()

/** Ends every program that `run` has started and that still runs, because the step itself is being ended. */
export function killChildren(): void {
  for (const child of running) child.kill('SIGKILL')
}

const MAX_OUTPUT_BYTES = 64 * 1024
/** What a program that has ended said is here by then. */
const STDIO_GRACE_MS = 1_000

/**
 * Runs a program to its end, with a secret on its standard input where it needs one; nothing of it is printed.
 * Written here because @actions/exec can't end a child (a docker that outlives the budget would go on to write the
 * secret to disk), and lets EPIPE escape where the child ends before it has read its input.
 * @param file absolute path of the program
 * @param options.timeoutMs after this the program is killed
 * @param options.stdout told not to, it does not listen to the program's standard output
 * @throws Error where the program can't be started
 */
export async function run(
  file: string,
  args: readonly string[],
  options: {
    readonly input: string
    readonly env: NodeJS.ProcessEnv
    readonly timeoutMs: number
    readonly stdout?: 'ignore'
  }
): Promise<Finished> {
  const { input, env, timeoutMs, stdout: heard = 'pipe' } = options
  const setting: SpawnOptions = { env, windowsHide: true, stdio: ['pipe', heard, 'pipe'] }
  return await new Promise((resolve, reject) => {
    const child = spawn(file, args, setting)
    running.add(child)
    const stdout = collect(child.stdout)
    const stderr = collect(child.stderr)
    const closePipes = (): void => {
      child.stdout?.destroy()
      child.stderr?.destroy()
    }
    let timer = setTimeout(() => {
      child.kill('SIGKILL')
      closePipes()
    }, timeoutMs)
    child.stdin?.on('error', () => {
      // The child ended before it had read all: its exit code tells why.
    })
    child.on('error', (error) => {
      running.delete(child)
      clearTimeout(timer)
      reject(error)
    })
    child.on('exit', () => {
      clearTimeout(timer)
      // A grandchild may hold the pipes open for ever: a key agent, say.
      timer = setTimeout(closePipes, STDIO_GRACE_MS)
    })
    child.on('close', (code, signal) => {
      running.delete(child)
      clearTimeout(timer)
      resolve({ code: code ?? undefined, signal: signal ?? undefined, stdout: stdout(), stderr: stderr() })
    })
    child.stdin?.end(input)
  })
}

/** Collects a stream's text, if there is one; the rest of a very long one is read and dropped. */
function collect(stream: NodeJS.ReadableStream | null): () => string {
  const chunks: Buffer[] = []
  let size = 0
  stream?.on('data', (chunk: Buffer) => {
    if (size < MAX_OUTPUT_BYTES) chunks.push(chunk)
    size += chunk.length
  })
  return () => Buffer.concat(chunks).toString()
}
