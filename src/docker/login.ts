import { mkdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type ConfigFile, configPath, helperFor, readConfig } from './config/file.ts'
import type { Context } from '../context.ts'
import { type Credential, formatBasic } from '../credential/credential.ts'
import { dockerLogin, findDocker } from './cli.ts'
import { addLogins, hashJob, type HeldLogin } from './config/user-config.ts'
import { explainWrite } from './config/write.ts'
import { messageOf, UserError } from '../errors/user-error.ts'
import { storeInHelper } from './helper.ts'
import { checkHelperLogin, claimHelper, eraseUnused, type HelperClaim } from './helper-login.ts'
import { stringAt } from '../json.ts'
import type { AuthEntry, Release } from './config/ledger.ts'

/** What a job's login needs to know; state keeps it for the cleanup. */
export interface LoginPlan {
  readonly hosts: readonly string[]
  /** Names the job's login in the ledger. */
  readonly loginId: string
  /** The directory of the user's config.json. */
  readonly directory: string
  /** A directory for the logins while they are made, which does not exist yet. */
  readonly scratch: string
}

/** What is to stand in config.json for a host. */
export type WantedLogin =
  | { readonly host: string; readonly credential: Credential }
  /** The registry's own token for some repositories, which `docker login` can't store. */
  | { readonly host: string; readonly registryToken: string }

interface HostPlan {
  readonly wanted: WantedLogin
  /** The credential helper that config.json names for the host. */
  readonly claim?: HelperClaim
}

/** Checks a credential with the registry, where there is no docker to do it. */
export type LogInWithoutDocker = (host: string, credential: Credential, context: Context) => Promise<void>

/**
 * Logs in to every host, side by side, and puts all the logins in the user's config.json, or none.
 * @throws UserError that names each host that failed, and why
 */
export async function logInToRegistries(
  plan: LoginPlan,
  wanted: readonly WantedLogin[],
  logInWithoutDocker: LogInWithoutDocker,
  context: Context
): Promise<void> {
  const path = configPath(plan.directory)
  const file = readConfig(path)
  const hosts = await planHosts(file, path, wanted, context)
  await reserveHelpers(plan, hosts, context)
  const logins = await logInSideBySide(plan, hosts, logInWithoutDocker, context)
  const owner = { loginId: plan.loginId, job: hashJob(process.env) }
  const dropped = await addLogins(plan.directory, owner, logins, context, file)
  await eraseDropped(dropped, context)
}

/** The plan of each host. Helpers are looked at, and their code is loaded, only where config.json names one. */
async function planHosts(
  file: ConfigFile,
  path: string,
  wanted: readonly WantedLogin[],
  context: Context
): Promise<HostPlan[]> {
  return await Promise.all(
    wanted.map(async (login) => {
      const name = helperFor(file, login.host)
      if (name === undefined) return { wanted: login }
      if ('registryToken' in login) throw noPlaceForToken(login.host, name, path)
      return { wanted: login, claim: await claimHelper(name, { ...login, path }, context) }
    })
  )
}

function noPlaceForToken(host: string, helper: string, path: string): UserError {
  return new UserError(
    `mint: repository-token can't be kept for ${host}: ${path} names the credential helper "${helper}", which can't hold one.`,
    'Give isolate: true, which keeps this login away from it, or use mint: iam-token.'
  )
}

/** What goes into a helper is written down before it goes there. */
async function reserveHelpers(plan: LoginPlan, hosts: readonly HostPlan[], context: Context): Promise<void> {
  const logins = hosts.flatMap(({ wanted: { host }, claim }) =>
    claim === undefined ? [] : [{ host, entry: {}, helper: claim.use }]
  )
  if (logins.length > 0)
    await addLogins(plan.directory, { loginId: plan.loginId, job: hashJob(process.env) }, logins, context)
}

async function logInSideBySide(
  { scratch }: LoginPlan,
  hosts: readonly HostPlan[],
  logInWithoutDocker: LogInWithoutDocker,
  context: Context
): Promise<HeldLogin[]> {
  const docker = await findDocker()
  if (hosts.some(({ wanted }) => 'credential' in wanted)) context.info(describeDocker(docker))
  makeScratch(scratch)
  try {
    return await allOrNone(hosts, async (plan, index) => {
      const directory = join(scratch, String(index))
      return await logIn(plan, docker ?? logInWithoutDocker, directory, context)
    })
  } finally {
    rmSync(scratch, { recursive: true, force: true, maxRetries: 3 })
  }
}

/** @param directory for this login alone */
async function logIn(
  { wanted, claim }: HostPlan,
  docker: string | LogInWithoutDocker,
  directory: string,
  context: Context
): Promise<HeldLogin> {
  const { host } = wanted
  if ('registryToken' in wanted) return { host, entry: { registrytoken: wanted.registryToken } }
  const { credential } = wanted
  const entry =
    typeof docker === 'function'
      ? await storeVerified(host, credential, claim, docker, context)
      : await dockerLogin({ docker, host, credential, helper: claim?.helper.name, directory }, context)
  return await checkLogin(host, credential, entry, claim, context)
}

function describeDocker(docker: string | undefined): string {
  return docker === undefined ? 'No docker on the PATH: logging in without it.' : `Logging in with ${docker}.`
}

function makeScratch(scratch: string): void {
  try {
    mkdirSync(dirname(scratch), { recursive: true })
    mkdirSync(scratch, { mode: 0o700 })
  } catch (error) {
    throw explainWrite(scratch, error)
  }
}

const MAX_PARALLEL = 16

/** Logs in to the hosts side by side. */
async function allOrNone(
  plans: readonly HostPlan[],
  logIn: (plan: HostPlan, index: number) => Promise<HeldLogin>
): Promise<HeldLogin[]> {
  const logins: HeldLogin[] = []
  const failures: unknown[] = []
  const queue = plans.entries()
  const work = async (): Promise<void> => {
    for (const [index, plan] of queue) {
      try {
        logins[index] = await logIn(plan, index)
      } catch (error) {
        failures.push(error)
      }
    }
  }
  await Promise.all(Array.from({ length: MAX_PARALLEL }, work))
  if (failures.length === 0) return logins
  if (plans.length === 1) throw failures[0]
  throw new UserError(
    `${failures.length} of ${plans.length} logins failed, so none was kept.`,
    failures.map(messageOf).join('\n')
  )
}

/** The same token exchange without docker. */
async function storeVerified(
  host: string,
  credential: Credential,
  claim: HelperClaim | undefined,
  logInWithoutDocker: LogInWithoutDocker,
  context: Context
): Promise<AuthEntry> {
  await logInWithoutDocker(host, credential, context)
  if (claim === undefined) return { auth: formatBasic(credential) }
  await storeInHelper(claim.helper, host, credential, context)
  return {}
}

/** An exit code of 0 is not trusted: the login is read back, from the entry or from the helper. */
async function checkLogin(
  host: string,
  credential: Credential,
  entry: AuthEntry | undefined,
  claim: HelperClaim | undefined,
  context: Context
): Promise<HeldLogin> {
  if (claim !== undefined && entry !== undefined)
    return {
      host,
      entry,
      username: credential.username,
      helper: await checkHelperLogin(claim, host, context)
    }
  if (entry !== undefined && isLogin(entry, credential, context))
    return { host, entry, username: credential.username }
  const stored = entry === undefined ? 'no' : 'another'
  throw new UserError(
    `docker login for ${host} exited with code 0, but stored ${stored} credential.`,
    'Check which docker is on the PATH: command -v docker; docker --version'
  )
}

function isLogin(entry: AuthEntry, { username, secret }: Credential, context: Context): boolean {
  const found = parseEntry(entry)
  // docker stores an identity token instead of the secret, where the registry issues one.
  const identityToken = stringAt(entry, 'identitytoken')
  if (identityToken !== undefined) context.mask(identityToken)
  return found?.username === username && (identityToken !== undefined || found.secret === secret)
}

/** The user name and secret in an entry's `auth`. */
function parseEntry(entry: AuthEntry): Credential | undefined {
  const text = Buffer.from(stringAt(entry, 'auth') ?? '', 'base64').toString()
  const colon = text.indexOf(':')
  return colon < 0 ? undefined : { username: text.slice(0, colon), secret: text.slice(colon + 1) }
}

/** Logins of dead jobs that fell out of the ledger on the way. */
async function eraseDropped(dropped: readonly Release[], context: Context): Promise<void> {
  if (!dropped.some(({ helper }) => helper !== undefined)) return
  await eraseUnused(dropped, context)
}
