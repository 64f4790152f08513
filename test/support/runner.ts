// A stand-in for the GitHub runner: runs an action's main and post as child processes on Node 24, gives them what the
// runner gives, and reads what they say by the runner's rules (workflow-commands.ts). "The runner" in
// docs/references.md, "Runner", is what it follows.
import { createHash } from 'node:crypto'
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { existsSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join, relative } from 'node:path'
import { readAction, type Action } from './action-yml.ts'
import { killGroup, runChild } from './child.ts'
import { covered, measured } from './measured.ts'
import { node24 } from './node24-path.mjs'
import { needProgram } from './programs.ts'
import { CommandReader, parseFile, parsePathFile, type Command } from './workflow-commands.ts'

/** Variables to set; undefined takes one away. */
export type Environment = Record<string, string | undefined>

export type Inputs = Record<string, string>

export interface JobOptions {
  /** The folder that holds action.yml; this project's by default. */
  action?: string
  env?: Environment
  /** 'real': the machine's docker CLI. 'none' (the default): no docker. Else the folder of a stand-in for docker. */
  docker?: 'real' | 'none' | (string & {})
  /** Folders for the end of the PATH, which otherwise holds docker or nothing. */
  path?: string[]
  /** A home that outlives the job, as on a self-hosted runner. Its owner removes it. */
  home?: string
  /** What GITHUB_EVENT_PATH holds. */
  event?: unknown
}

export interface StepOptions {
  env?: Environment
  /**
   * When it fires, the step is cancelled as the runner does it, or killed at once with all that it started (`kill`) or
   * without it (`kill-alone`).
   */
  signal?: AbortSignal
  how?: 'cancel' | 'kill' | 'kill-alone'
  /** Milliseconds that the step may take before the test is failed. */
  timeout?: number
}

export type Event = { kind: 'line'; text: string } | ({ kind: 'command' } & Command)

export interface StepResult {
  exitCode: number | null
  signal: NodeJS.Signals | null
  milliseconds: number
  stdout: string
  stderr: string
  /** Lines and commands in the order in which they came, from both streams. */
  events: Event[]
  /** What a reader of the job's log sees, without the lines that are commands, and before masking. */
  log: string
  masks: string[]
  errors: string[]
  warnings: string[]
  notices: string[]
  outputs: Record<string, string>
  state: Record<string, string>
  env: Record<string, string>
  path: string[]
  summary: string
}

export interface Job {
  home: string
  /** RUNNER_TEMP */
  temp: string
  workspace: string
  /** What the steps so far left for the later ones; a test may change it, as a step could. */
  env: Record<string, string>
  main(inputs: Inputs, options?: StepOptions): Promise<StepResult>
  /** Runs post of the newest main that has had none, as the runner does at the end of a job. */
  post(options?: StepOptions & { inputs?: Inputs }): Promise<StepResult>
  /** config.json as docker reads it, from `directory` or the home; undefined where there is none. */
  dockerConfig(directory?: string): DockerConfig | undefined
  /** Every file, folder and link under `directory` (the home by default) with its mode and a hash of what it holds. */
  snapshot(directory?: string): Record<string, string>
  close(): void
}

export interface DockerConfig {
  auths?: Record<string, Record<string, unknown>>
  credsStore?: string
  credHelpers?: Record<string, string>
  [key: string]: unknown
}

const files = ['GITHUB_OUTPUT', 'GITHUB_STATE', 'GITHUB_ENV', 'GITHUB_PATH', 'GITHUB_STEP_SUMMARY'] as const
type StepFile = (typeof files)[number]

/** The port of "discard", where nothing listens on any machine that runs these tests. */
const nobody = 'http://127.0.0.1:9'

// Anything that would leave the machine goes to a proxy that is not there: a test that forgets to stay on loopback
// fails instead of asking the world. IBMCLOUD_CR_VPC_URL keeps the metadata service's address from being tried.
const onlyLoopback = {
  HTTP_PROXY: nobody,
  HTTPS_PROXY: nobody,
  NO_PROXY: 'localhost,127.0.0.1,::1',
  IBMCLOUD_CR_VPC_URL: nobody
}

function setVariables(env: Record<string, string>, changes: Environment = {}): Record<string, string> {
  const kept = Object.entries({ ...env, ...changes }).filter(([, value]) => value !== undefined)
  return Object.fromEntries(kept) as Record<string, string>
}

/** The runner's rule: blanks become `_`, letters capitals; all else stays as it is. */
const inputVariable = (name: string): string => `INPUT_${name.replaceAll(' ', '_').toUpperCase()}`

function inputVariables(action: Action, inputs: Inputs): Record<string, string> {
  const unknown = Object.keys(inputs).filter((name) => !(name in action.inputs))
  // The runner only warns; in a test it is a mistake.
  if (unknown.length > 0) throw new Error(`action.yml has no input '${unknown.join("', '")}'`)
  const all = Object.entries(action.inputs).map(
    ([name, preset]) => [name, inputs[name] ?? preset ?? ''] as const
  )
  const expression = all.find(([, value]) => value.includes('${{'))
  if (expression)
    throw new Error(`Input '${expression[0]}' is an expression, which this runner can't evaluate`)
  return Object.fromEntries(all.map(([name, value]) => [inputVariable(name), value]))
}

function stateVariables(state: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(state).map(([key, value]) => [`STATE_${key}`, value]))
}

class Output {
  readonly events: Event[] = []
  readonly #reader = new CommandReader()
  readonly #rest = { stdout: '', stderr: '' }

  /** Takes a chunk and deals with the lines that are whole by now. */
  take(stream: 'stdout' | 'stderr', text: string): void {
    const lines = (this.#rest[stream] + text).split('\n')
    this.#rest[stream] = lines.pop() ?? ''
    for (const line of lines) this.#line(line)
  }

  end(): void {
    for (const rest of Object.values(this.#rest)) if (rest !== '') this.#line(rest)
  }

  #line(line: string): void {
    const text = line.replace(/\r$/u, '')
    const command = this.#reader.read(text)
    this.events.push(command ? { kind: 'command', ...command } : { kind: 'line', text })
  }

  values(name: string): string[] {
    return this.events.flatMap((event) =>
      event.kind === 'command' && event.command === name ? [event.value] : []
    )
  }

  get log(): string {
    return this.events.flatMap((event) => (event.kind === 'line' ? [`${event.text}\n`] : [])).join('')
  }
}

const wait = (milliseconds: number, then: () => void): NodeJS.Timeout =>
  setTimeout(then, milliseconds).unref()

type Child = Parameters<typeof killGroup>[0]

/** SIGINT, 7.5 s later SIGTERM, 2.5 s later the end of the whole tree. */
function cancel(child: Child): void {
  child.kill('SIGINT')
  const timers = [
    wait(7_500, () => child.kill('SIGTERM')),
    wait(10_000, () => {
      killGroup(child, 'SIGKILL')
    })
  ]
  child.once('close', () => {
    timers.forEach(clearTimeout)
  })
}

function endOnSignal(child: Child, { signal, how }: StepOptions): void {
  const end = (): void => {
    if (child.exitCode !== null || child.signalCode !== null) return
    if (how === 'kill') killGroup(child, 'SIGKILL')
    else if (how === 'kill-alone') child.kill('SIGKILL')
    else cancel(child)
  }
  if (signal?.aborted) end()
  else signal?.addEventListener('abort', end, { once: true })
}

function describeFile(file: string): string {
  const { mode } = lstatSync(file)
  const kind = lstatSync(file).isSymbolicLink() ? 'link' : lstatSync(file).isDirectory() ? 'folder' : 'file'
  const rights = (mode & 0o7777).toString(8).padStart(4, '0')
  if (kind === 'link') return `link ${readlinkSync(file)}`
  if (kind === 'folder') return `folder ${rights}`
  if (!lstatSync(file).isFile()) return `special ${rights}`
  return `file ${rights} ${createHash('sha256').update(readFileSync(file)).digest('hex')}`
}

/** See `Job.snapshot`. */
export function snapshot(directory: string): Record<string, string> {
  const names = existsSync(directory)
    ? readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort()
    : []
  return Object.fromEntries(names.map((name) => [relative('', name), describeFile(join(directory, name))]))
}

function readDockerConfig(directory: string): DockerConfig | undefined {
  const file = join(directory, 'config.json')
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as DockerConfig) : undefined
}

interface Run {
  inputs: Inputs
  /** What main has saved by now: post can run beside a main that was cancelled and hears no signal. */
  state: () => Record<string, string>
}

class RunnerJob implements Job {
  readonly home: string
  readonly temp: string
  readonly workspace: string
  env: Record<string, string>
  readonly #root: string
  readonly #directory: string
  readonly #action: Action
  readonly #runs: Run[] = []
  #steps = 0

  constructor(options: JobOptions) {
    this.#directory = options.action ?? covered ?? join(import.meta.dirname, '../..')
    this.#action = readAction(this.#directory)
    this.#root = realpathSync(mkdtempSync(join(tmpdir(), 'icr-login-job-')))
    this.home = options.home ?? this.#folder('home')
    this.temp = this.#folder('runner-temp')
    this.workspace = this.#folder('workspace')
    const event = join(this.#folder('event'), 'event.json')
    writeFileSync(event, JSON.stringify(options.event ?? {}))
    this.env = setVariables(
      { ...this.#variables(event), PATH: this.#path(options), ...onlyLoopback },
      options.env
    )
  }

  #folder(name: string): string {
    const folder = join(this.#root, name)
    mkdirSync(folder, { recursive: true })
    return folder
  }

  #variables(event: string): Record<string, string> {
    return {
      CI: 'true',
      HOME: this.home,
      LANG: 'C.UTF-8',
      TMPDIR: this.#folder('tmp'),
      GITHUB_ACTIONS: 'true',
      GITHUB_ACTOR: 'octocat',
      GITHUB_EVENT_NAME: 'push',
      GITHUB_EVENT_PATH: event,
      GITHUB_JOB: 'test',
      GITHUB_REPOSITORY: 'octocat/hello-world',
      GITHUB_RUN_ATTEMPT: '1',
      GITHUB_RUN_ID: '1658821493',
      GITHUB_SERVER_URL: 'https://github.com',
      GITHUB_WORKSPACE: this.workspace,
      RUNNER_ARCH: 'X64',
      RUNNER_ENVIRONMENT: 'github-hosted',
      RUNNER_OS: 'Linux',
      RUNNER_TEMP: this.temp,
      RUNNER_TOOL_CACHE: this.#folder('tool-cache')
    }
  }

  #path({ docker = 'none', path = [] }: JobOptions): string {
    const programs = this.#folder('bin')
    // A link, so that nothing else that lies beside docker comes on the PATH with it.
    if (docker === 'real') symlinkSync(needProgram('docker'), join(programs, 'docker'))
    const standIn = docker === 'real' || docker === 'none' ? [] : [docker]
    return [...standIn, programs, ...path].join(delimiter)
  }

  async main(inputs: Inputs, options: StepOptions = {}): Promise<StepResult> {
    const run: Run = { inputs, state: () => ({}) }
    // Post is registered before main runs, so it comes even if main fails.
    this.#runs.push(run)
    const result = await this.#step(this.#action.main, run, options)
    // A test can change it, as a step could.
    run.state = () => result.state
    return result
  }

  async post({ inputs, ...options }: StepOptions & { inputs?: Inputs } = {}): Promise<StepResult> {
    const run = this.#runs.pop()
    if (run === undefined) throw new Error('There is no main whose post has not run')
    if (this.#action.post === undefined) throw new Error('action.yml: runs.post is missing')
    return this.#step(this.#action.post, { ...run, inputs: inputs ?? run.inputs }, options)
  }

  #stepFiles(): Record<StepFile, string> {
    this.#steps += 1
    const folder = this.#folder(`commands-${this.#steps}`)
    const paths = files.map((name) => [name, join(folder, name.toLowerCase())] as const)
    for (const [, path] of paths) writeFileSync(path, '')
    return Object.fromEntries(paths) as Record<StepFile, string>
  }

  async #step(script: string, run: Run, options: StepOptions): Promise<StepResult> {
    const paths = this.#stepFiles()
    const given = { ...paths, ...inputVariables(this.#action, run.inputs), ...stateVariables(run.state()) }
    run.state = () => parseFile(readFileSync(paths.GITHUB_STATE, 'utf8'))
    const output = new Output()
    const env = { ...setVariables(this.env, options.env), ...given }
    const child = await runChild(node24(), [join(this.#directory, script)], {
      cwd: this.workspace,
      env: this.#directory === covered ? measured(env) : env,
      onOutput: (stream, text) => {
        output.take(stream, text)
      },
      onStart: (started) => {
        endOnSignal(started, options)
      },
      ...(options.timeout === undefined ? {} : { timeout: options.timeout })
    })
    output.end()
    const result = { ...child, ...this.#said(output), ...this.#left(paths) }
    this.#apply(result)
    return result
  }

  #said(output: Output): Pick<StepResult, 'events' | 'log' | 'masks' | 'errors' | 'warnings' | 'notices'> {
    return {
      events: output.events,
      log: output.log,
      masks: output.values('add-mask'),
      errors: output.values('error'),
      warnings: output.values('warning'),
      notices: output.values('notice')
    }
  }

  #left(paths: Record<StepFile, string>): Pick<StepResult, 'outputs' | 'state' | 'env' | 'path' | 'summary'> {
    const text = (name: StepFile): string => readFileSync(paths[name], 'utf8')
    return {
      outputs: parseFile(text('GITHUB_OUTPUT')),
      state: parseFile(text('GITHUB_STATE')),
      env: parseFile(text('GITHUB_ENV')),
      path: parsePathFile(text('GITHUB_PATH')),
      summary: text('GITHUB_STEP_SUMMARY')
    }
  }

  #apply({ env, path }: StepResult): void {
    if ('NODE_OPTIONS' in env) throw new Error('The runner refuses NODE_OPTIONS in GITHUB_ENV')
    Object.assign(this.env, env)
    for (const folder of path) this.env['PATH'] = [folder, this.env['PATH'] ?? ''].join(delimiter)
  }

  dockerConfig(directory = join(this.home, '.docker')): DockerConfig | undefined {
    return readDockerConfig(directory)
  }

  snapshot(directory = this.home): Record<string, string> {
    return snapshot(directory)
  }

  close(): void {
    rmSync(this.#root, { recursive: true, force: true })
  }
}

/** @throws Error with all that a step said, where it did not end well */
export function mustEndWell({ exitCode, stdout, stderr, errors }: StepResult): void {
  if (exitCode !== 0 || errors.length > 0)
    throw new Error(`exit code ${exitCode ?? 'none'}\n${stdout}${stderr}`)
}

/** Makes a job with folders of its own. Call `close` when done. */
export function startJob(options: JobOptions = {}): Promise<Job> {
  return Promise.resolve().then(() => new RunnerJob(options))
}
