import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as core from '@actions/core'
import { configPath, dockerConfigDirectory } from './docker/config/file.ts'
import type { Context } from './context.ts'
import { formatBasic, formatTime } from './credential/credential.ts'
import { findDocker } from './docker/cli.ts'
import { keep } from './docker/config/user-config.ts'
import type { WantedDocker } from './docker/install.ts'
import { findUnsafeSettings } from './http/environment.ts'
import { type Identity, resolveCredential } from './credential/identity.ts'
import { type Inputs, readInputs } from './runner/inputs.ts'
import type { Isolation } from './docker/config/isolated.ts'
import { createContext } from './runner/log.ts'
import type { MintInputs } from './mint/inputs.ts'
import { logInToRegistries, type WantedLogin } from './docker/login.ts'
import { type LoginReport, reportLogin } from './runner/report.ts'
import { findShadows } from './docker/overrides.ts'
import { saveBegun, saveState, type State } from './runner/state.ts'

/** The main phase: inputs → hosts → credential → (mint) → log in → report. */
export async function login(): Promise<void> {
  saveBegun()
  const inputs = await readInputs(Date.now())
  const begun = await beginState(inputs)
  saveState(begun)
  warnOfSurroundings(inputs.identity)
  if (inputs.docker !== undefined) await provideDocker(inputs.docker)
  const context = createContext(inputs.timeoutMs)
  const job = await (inputs.mint === undefined
    ? useAsGiven(inputs, context)
    : mint(inputs, inputs.mint, begun, context))
  const planned = { ...begun, ...job.state }
  if (inputs.isolate) await isolate(planned, context)
  maskBasic(job.logins)
  await logInToRegistries(planned, job.logins, context)
  const state = await settle(planned, inputs.logout, context)
  await warnOfShadows(state)
  reportLogin(state, job.report)
}

async function beginState({ hosts, isolate }: Inputs): Promise<State> {
  const nonce = makeNonce()
  const temp = process.env['RUNNER_TEMP'] ?? tmpdir()
  const place = isolate ? await resolveOwnPlace(nonce, temp) : { directory: dockerConfigDirectory() }
  return {
    nonce,
    ...place,
    newDirectory: !existsSync(place.directory),
    scratch: join(temp, `icr-login-${nonce}`),
    hosts,
    stage: 'begun',
    end: ''
  }
}

/** 16 hexadecimal digits that no other job has: unique, not secret, so that node:crypto need not be loaded for it. */
function makeNonce(): string {
  const half = (): string =>
    Math.floor(Math.random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0')
  return half() + half()
}

async function resolveOwnPlace(nonce: string, temp: string): Promise<Isolation> {
  const { resolveIsolation } = await import('./docker/config/isolated.ts')
  return resolveIsolation(nonce, temp, process.env)
}

/** Makes the job's own directory, and leads the later steps there: this step's post leads them back. */
async function isolate(state: State, context: Context): Promise<void> {
  const { formatVariables, prepareIsolation } = await import('./docker/config/isolated.ts')
  await prepareIsolation(state, state.nonce, state.hosts, context)
  if (state.before === undefined) return
  const variables = Object.entries(formatVariables(state.directory, state.before))
  for (const [name, value] of variables) core.exportVariable(name, value)
  context.note(`isolate: DOCKER_CONFIG is ${state.directory} from now on, for this job alone.`)
}

function warnOfSurroundings(identity: Identity): void {
  for (const line of findUnsafeSettings(process.env)) core.warning(line)
  if (identity.kind !== 'registry-token') return
  // facts/ibm-cloud.md section 2.1.
  core.warning('IBM has refused registry tokens since 19 August 2021. It is tried; give an api-key instead.')
}

/** Getting docker is no part of the login: it has a time of its own. */
const INSTALL_MS = 5 * 60_000

/** A job without docker gets its CLI, for the steps that follow too. */
async function provideDocker(wanted: WantedDocker): Promise<void> {
  if ((await findDocker()) !== undefined) return
  const { installDocker } = await import('./docker/install.ts')
  core.addPath(await installDocker(wanted, process, createContext(INSTALL_MS)))
}

/** What is logged in with, and what is told of it. */
interface JobLogin {
  readonly logins: readonly WantedLogin[]
  /** What is known by now, for post. */
  readonly state: Partial<State>
  readonly report: LoginReport
}

/** Without a mint, the credential that was given goes to every host. */
async function useAsGiven({ identity, iamUrl, hosts }: Inputs, context: Context): Promise<JobLogin> {
  const { username, secret, end, shortLived } = await resolveCredential(identity, iamUrl, context)
  return {
    logins: hosts.map((host) => ({ host, credential: { username, secret } })),
    state: { end: end === undefined ? '' : formatTime(end) },
    report: { username, password: shortLived ? secret : '' }
  }
}

/** The long-lived secret mints, and goes no further. The code of it is loaded only here. */
async function mint(inputs: Inputs, wanted: MintInputs, begun: State, context: Context): Promise<JobLogin> {
  const { mintForJob } = await import('./network.ts')
  return await mintForJob(
    { ...inputs, mint: wanted, nonce: begun.nonce },
    (state) => {
      saveState({ ...begun, mint: state })
    },
    context
  )
}

function maskBasic(logins: readonly WantedLogin[]): void {
  for (const login of logins) if ('credential' in login) core.setSecret(formatBasic(login.credential))
}

/** From here on post undoes the login, or leaves it where the user wants it to stay. */
async function settle(planned: State, logout: boolean, context: Context): Promise<State> {
  if (!logout) await keep(planned.directory, planned.nonce, context)
  const state: State = { ...planned, stage: logout ? 'held' : 'kept' }
  saveState(state)
  return state
}

async function warnOfShadows({ hosts, directory }: State): Promise<void> {
  for (const line of await findShadows(hosts, configPath(directory), process.env)) core.warning(line)
}
