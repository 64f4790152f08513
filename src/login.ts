import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import * as core from '@actions/core'
import type { Context } from './context.ts'
import { formatBasic } from './credential/credential.ts'
import { credentialOf, type Identity, withProfile } from './credential/identity.ts'
import { findProgram } from './docker/run.ts'
import { configPath, dockerConfigDirectory } from './docker/config/file.ts'
import { formatVariables, prepareIsolation, resolveIsolation } from './docker/config/isolated.ts'
import { keepLogins } from './docker/config/user-config.ts'
import type { WantedDocker } from './docker/install.ts'
import { type CredentialLogin, logInToRegistries, type WantedLogin } from './docker/login.ts'
import { findOverrides } from './docker/overrides.ts'
import { formatTime } from './errors/quote.ts'
import { findUnsafeSettings } from './http/proxy-settings.ts'
import type { MintInputs } from './mint/inputs.ts'
import type { Minted } from './mint/method.ts'
import { type Inputs, readInputs } from './runner/inputs.ts'
import { createContext, hide, warning } from './runner/log.ts'
import { type LoginReport, reportLogin } from './runner/report.ts'
import { checkActive, saveEnded, saveStarted, saveState, type State } from './runner/state.ts'

/** The main phase: inputs → hosts → credential → mint → docker login → report. */
export async function login(): Promise<void> {
  saveStarted()
  try {
    await logIn()
  } finally {
    saveEnded()
  }
}

async function logIn(): Promise<void> {
  const job = await resolveJob(readInputs(Date.now()))
  const started = startState(job)
  saveState(started)
  warnAboutEnvironment(job.identity)
  if (job.docker !== undefined) await provideDocker(job.docker)
  const context = createContext(job.timeoutMs, { checkActive: checkActive.bind(undefined, started) })
  const { logins, state, report } = await (job.mint === undefined
    ? useCredential(job, context)
    : mint(job, job.mint, started, context))
  const planned = { ...started, ...state }
  if (job.isolate) await isolate(planned, context)
  maskBasic(logins)
  await logInToRegistries(planned, logins, logInWithoutDocker, context)
  const finished = await finish(planned, job.logout, context)
  warnAboutOverrides(finished)
  await reportLogin(finished, report)
}

interface Job extends Omit<Inputs, 'mint'> {
  readonly mint: MintInputs | undefined
}

/** Applies the rules of `mint`, and makes a trusted profile the username where the mint does not assume it. */
async function resolveJob(inputs: Inputs): Promise<Job> {
  const { identity, profile, mint: raw } = inputs
  const others = { ...inputs, authMethod: identity.kind }
  const mint = raw === undefined ? undefined : (await import('./network.ts')).resolveMint(raw, others)
  const isUsername = profile !== undefined && mint?.profile === undefined
  return { ...inputs, mint, identity: isUsername ? withProfile(identity, profile) : identity }
}

function startState({ hosts, isolate }: Job): State {
  const loginId = randomBytes(8).toString('hex')
  const { RUNNER_TEMP = '' } = process.env
  const temp = resolve(RUNNER_TEMP || tmpdir())
  const place = isolate
    ? resolveIsolation(loginId, temp, process.env)
    : { directory: dockerConfigDirectory() }
  const newDirectory = !existsSync(place.directory)
  const scratch = join(temp, `icr-login-${loginId}`)
  return { loginId, ...place, newDirectory, scratch, hosts, stage: 'begun', expiresAt: '' }
}

/** Makes the job's own directory, and points the later steps to it: this step's post resets the variables. */
async function isolate(state: State, context: Context): Promise<void> {
  await prepareIsolation(state, state.hosts, context)
  if (state.before === undefined) return
  const variables = Object.entries(formatVariables(state.directory, state.before))
  for (const [name, value] of variables) core.exportVariable(name, value)
  context.info(`isolate: DOCKER_CONFIG is ${state.directory} from now on, for this job alone.`)
}

function warnAboutEnvironment(identity: Identity): void {
  for (const line of findUnsafeSettings(process.env)) warning(line)
  if (identity.kind !== 'registry-token') return
  // docs/references.md, "Registry tokens".
  warning('IBM has refused registry tokens since 19 August 2021. It is tried; give an api-key instead.')
}

/** Installing docker is not part of the login: it has a separate time limit. */
const INSTALL_MS = 5 * 60_000

/** A job without docker gets its CLI, for the steps that follow too. */
async function provideDocker(wanted: WantedDocker): Promise<void> {
  if ((await findProgram('docker')) !== undefined) return
  const { installDocker } = await import('./network.ts')
  core.addPath(await installDocker(wanted, process, createContext(INSTALL_MS)))
}

/** What the job logs in with, and what is reported about it. */
interface JobLogin {
  readonly logins: readonly WantedLogin[]
  /** What is known by now, for post. */
  readonly state: Partial<State>
  readonly report: LoginReport
}

/** Without a mint, every host gets the same credential. */
async function useCredential({ identity, iamUrl, hosts }: Job, context: Context): Promise<JobLogin> {
  const { username, secret, expiresAt, shortLived } =
    identity.kind === 'keyless'
      ? await (await import('./network.ts')).resolveCredential(identity, iamUrl, context)
      : credentialOf(identity)
  return {
    logins: hosts.map((host) => ({ host, credential: { username, secret } })),
    state: { expiresAt: expiresAt === undefined ? '' : formatTime(expiresAt) },
    report: { username, password: shortLived ? secret : '' }
  }
}

/** The long-lived secret mints, and is not used further. */
async function mint(job: Job, wanted: MintInputs, started: State, context: Context): Promise<JobLogin> {
  const { mintForJob } = await import('./network.ts')
  const saveMint = (mint: NonNullable<State['mint']>): void => {
    saveState({ ...started, mint })
  }
  const order = { ...job, mint: wanted, loginId: started.loginId }
  const { minted, access, state } = await mintForJob(order, saveMint, context)
  const expiresAt = new Date(Math.min(...minted.map((one) => one.expiresAt.getTime())))
  const repositories = [...new Set([...wanted.repositories.values()].flat())]
  const { username = '', secret: password = '', id = '' } = minted[0] ?? {}
  return {
    logins: minted.map(toLogin),
    state: { expiresAt: formatTime(expiresAt), mint: state },
    report: { username, password, minted: { method: wanted.method, id, access, repositories } }
  }
}

function toLogin({ host, username, secret, settlesAt }: Minted): WantedLogin {
  return username === undefined
    ? { host, registryToken: secret }
    : { host, credential: { username, secret }, settlesAt }
}

function maskBasic(logins: readonly WantedLogin[]): void {
  for (const login of logins) if ('credential' in login) hide(formatBasic(login.credential))
}

async function logInWithoutDocker(login: CredentialLogin, context: Context): Promise<void> {
  const { host, credential, settlesAt = 0 } = login
  const { retryWhileUnknown, verifyCredential } = await import('./network.ts')
  await retryWhileUnknown(host, settlesAt, async () => verifyCredential(host, credential, context), context)
}

/** From here on post undoes the login, or leaves it where the user wants it to stay. */
async function finish(planned: State, logout: boolean, context: Context): Promise<State> {
  if (!logout) await keepLogins(planned.directory, planned.loginId, context)
  const state: State = { ...planned, stage: logout ? 'held' : 'kept' }
  saveState(state)
  return state
}

function warnAboutOverrides({ hosts, directory }: State): void {
  for (const line of findOverrides(hosts, configPath(directory), process.env)) warning(line)
}
