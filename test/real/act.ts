// Runs workflows with act, an engine that nobody here wrote, in its host mode: each step is a process on this machine.
//
// Where act 0.2.89 is not the GitHub runner (measured here, and read in its source):
// - A node action runs on the `node` that is on the PATH, whatever `using` says: Node 24 is put first.
// - actions/checkout is replaced by a copy of the repository, without what .gitignore names.
// - A step has a terminal for its output, so that both streams come as one, and its input never ends.
// - All of act's own environment is the steps': it gets a short one. RUNNER_ENVIRONMENT is not set.
// - Each job of a matrix and of a called workflow has the same home, and up to four run at once: a self-hosted runner.
// - Masks are replaced as they stand, in the order in which they came; not their base64. The log shows outputs and the
//   summary as well. A mask that holds `::` is not understood, and printed.
// - Cancelled (SIGINT to act), a step is killed at once by SIGKILL; the runner sends SIGINT, waits, sends SIGTERM. The
//   post steps run then, as after a failure, with 5 minutes for all of them.
// - RUNNER_TEMP is each job's own, and is kept when the job failed.
// What is the same: GITHUB_STATE is read after main, whatever its end, and is post's alone; GITHUB_ENV of a post step
// is there in the post steps after it; post steps run in reverse order; INPUT_* is evaluated anew for post.
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runChild, runWell, type ChildResult } from '../support/child.ts'
import { node24 } from '../support/node24-path.mjs'
import { needProgram } from '../support/programs.ts'

export interface ActOptions {
  /** The repository's folder, with the workflow in .github/workflows. */
  repository: string
  /** A file name in .github/workflows. */
  workflow: string
  /** One job of it, and what it needs; all jobs if not given. */
  job?: string
  event?: { name: string; payload?: object }
  secrets?: Record<string, string>
  vars?: Record<string, string>
  /** What `runs-on` may say; whatever it is, it is this machine. */
  platforms?: readonly string[]
  /** A command that becomes act, and gets act's own as its last arguments. */
  before?: readonly string[]
  /** For act and for all steps; PATH among it. */
  env: Record<string, string>
  /** A folder for what act keeps, RUNNER_TEMP among it. */
  place: string
  /** Local folders that stand for repositories, by `owner/name@ref`. */
  repositories?: Record<string, string>
  /** Cancels the job when it fires. */
  signal?: AbortSignal
  /** Called with the log so far, whenever there is more of it. */
  onLog?: (log: string) => void
}

export interface ActResult {
  exitCode: number | null
  /** All that act says: what stands on a job's page, and more. */
  log: string
}

/**
 * Makes a folder for a PATH that holds these programs and no others; `node` is Node 24.
 * @param folder does not exist yet
 */
export function linkPrograms(folder: string, names: readonly string[]): string {
  mkdirSync(folder, { recursive: true })
  symlinkSync(node24(), join(folder, 'node'))
  for (const name of names) symlinkSync(needProgram(name), join(folder, name))
  return folder
}

/** Makes a folder a git repository with one commit, which is on main at its origin too: act asks over and over. */
export async function commitAll(folder: string, home: string): Promise<void> {
  const env = { PATH: process.env['PATH'] ?? '', HOME: home, GIT_CONFIG_NOSYSTEM: '1' }
  const git = (...args: string[]): Promise<string> =>
    runWell(needProgram('git'), ['-c', 'user.name=Test', '-c', 'user.email=test@example.test', ...args], {
      cwd: folder,
      env
    })
  await git('init', '--quiet', '--initial-branch=main')
  await git('add', '--all')
  await git('commit', '--quiet', '--message=All')
  await git('remote', 'add', 'origin', 'https://github.com/my-org/app')
  await git('update-ref', 'refs/remotes/origin/main', 'HEAD')
}

/** act reads YAML, and JSON is YAML. */
function jsonFile(place: string, name: string, content: object): string {
  const file = join(place, `${name}.yml`)
  writeFileSync(file, JSON.stringify(content), { mode: 0o600 })
  return file
}

const options = (name: string, values: readonly string[]): string[] =>
  values.flatMap((value) => [name, value])

function argumentsOf({ workflow, job, event = { name: 'push' }, place, ...given }: ActOptions): string[] {
  const { secrets = {}, vars = {}, platforms = ['ubuntu-latest', 'self-hosted'], repositories = {} } = given
  return [
    ...[event.name, '--eventpath', jsonFile(place, 'event', event.payload ?? {})],
    ...['--workflows', join('.github', 'workflows', workflow), ...(job === undefined ? [] : ['--job', job])],
    // With a token of its own, even an empty one, act does not ask GitHub's CLI for one.
    ...['--secret-file', jsonFile(place, 'secrets', { GITHUB_TOKEN: '', ...secrets })],
    ...['--var-file', jsonFile(place, 'vars', vars), '--action-cache-path', join(place, 'act')],
    ...['--action-offline-mode', '--pull=false', '--no-cache-server', '--container-daemon-socket', '-'],
    ...options(
      '--platform',
      platforms.map((name) => `${name}=-self-hosted`)
    ),
    ...options(
      '--local-repository',
      Object.entries(repositories).map((pair) => pair.join('='))
    )
  ]
}

/** Sends no packet but to loopback: act only asks the kernel which way 8.8.8.8 would lie. */
export async function runAct(options: ActOptions): Promise<ActResult> {
  const { repository, place, before = [], signal, onLog = () => undefined } = options
  const [program = '', ...args] = [...before, needProgram('act'), ...argumentsOf(options)]
  let log = ''
  const result: ChildResult = await runChild(program, args, {
    cwd: repository,
    env: {
      ...options.env,
      XDG_CACHE_HOME: join(place, 'cache'),
      XDG_CONFIG_HOME: join(place, 'config'),
      ACT_DISABLE_VERSION_CHECK: '1'
    },
    onOutput: (_, text) => {
      log += text
      onLog(log)
    },
    onStart: (act) => {
      signal?.addEventListener('abort', () => act.kill('SIGINT'), { once: true })
    }
  })
  return { exitCode: result.exitCode, log }
}
