// Child processes that cannot outlive a test: each leads a process group of its own, ended by its id.
import { spawn, type ChildProcess } from 'node:child_process'

export interface ChildOptions {
  cwd?: string
  env?: Record<string, string>
  /** What the child reads on its standard input; nothing where not given. */
  input?: string | Buffer
  /** Milliseconds after which the child is killed and the promise rejects. */
  timeout?: number
  /** Called with each chunk as it arrives. */
  onOutput?: (stream: 'stdout' | 'stderr', text: string) => void
  onStart?: (child: ChildProcess) => void
}

export interface ChildResult {
  exitCode: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
  /** From the start to the end. */
  milliseconds: number
}

/** Ends a whole process group that `runChild` or `startDaemon` started; one that has ended already is no error. */
export function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

function collect(
  child: ChildProcess,
  onOutput: ChildOptions['onOutput']
): { stdout: string; stderr: string } {
  const output = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream]?.setEncoding('utf8').on('data', (text: string) => {
      output[stream] += text
      onOutput?.(stream, text)
    })
  }
  return output
}

/** Runs a program to its end. A program that the system can't start rejects; any exit code resolves. */
export function runChild(program: string, args: string[], options: ChildOptions = {}): Promise<ChildResult> {
  const { cwd, env, input, timeout = 120_000, onOutput, onStart } = options
  return new Promise((resolve, reject) => {
    const began = performance.now()
    const child = spawn(program, args, { cwd, env, detached: true, stdio: ['pipe', 'pipe', 'pipe'] })
    const output = collect(child, onOutput)
    const deadline = setTimeout(() => {
      killGroup(child, 'SIGKILL')
      reject(new Error(`${program} did not end within ${timeout} ms.\n${output.stdout}${output.stderr}`))
    }, timeout)
    // A grandchild that keeps the output open after its parent's end would hold us up: the runner waits 5 s for it.
    child.once('exit', () => {
      const patience = setTimeout(() => {
        killGroup(child, 'SIGKILL')
      }, 5_000)
      child.once('close', () => {
        clearTimeout(patience)
      })
    })
    child.once('error', (error) => {
      clearTimeout(deadline)
      reject(error)
    })
    child.once('close', (exitCode, signal) => {
      clearTimeout(deadline)
      resolve({ exitCode, signal, ...output, milliseconds: performance.now() - began })
    })
    // A program that ends without reading its input breaks the pipe: its exit code says what matters.
    child.stdin.on('error', () => undefined).end(input)
    onStart?.(child)
  })
}

/** As `runChild`, for programs that must succeed: any other end rejects with all that the program said. */
export async function runWell(program: string, args: string[], options: ChildOptions = {}): Promise<string> {
  const result = await runChild(program, args, options)
  if (result.exitCode === 0) return result.stdout
  const end = result.exitCode === null ? (result.signal ?? 'no exit code') : `exit code ${result.exitCode}`
  throw new Error(`${program} ${args.join(' ')}: ${end}\n${result.stdout}${result.stderr}`)
}
