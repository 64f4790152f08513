import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type ConfigFile, configPath, explainWrite, helperFor, readConfig } from './config/file.ts'
import type { Context } from '../context.ts'
import { type Credential, formatBasic } from '../credential/credential.ts'
import { dockerLogin, findDocker } from './cli.ts'
import { hold, type HeldLogin } from './config/user-config.ts'
import { messageOf, UserError } from '../errors/user-error.ts'
import { rm } from '../files.ts'
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
  const file = await readConfig(path)
  const hosts = await planHosts(file, path, wanted, context)
  await reserveHelpers(plan, hosts, context)
  const logins = await logInSideBySide(plan, hosts, logInWithoutDocker, context)
  const dropped = await hold(plan.directory, plan.loginId, logins, context, file)
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
  if (logins.length > 0) await hold(plan.directory, plan.loginId, logins, context)
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
    return await allOrNone(
      hosts.map(async (plan, index) => {
        const directory = join(scratch, String(index))
        return await logIn(plan, docker ?? logInWithoutDocker, directory, context)
      })
    )
  } finally {
    await rm(scratch, { recursive: true, force: true })
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

async function allOrNone(logins: readonly Promise<HeldLogin>[]): Promise<HeldLogin[]> {
  const results = await Promise.allSettled(logins)
  const failures = results.flatMap((result) =>
    result.status === 'rejected' ? [result.reason as unknown] : []
  )
  if (failures.length === 0) return await Promise.all(logins)
  if (logins.length === 1) throw failures[0]
  throw new UserError(
    `${failures.length} of ${logins.length} logins failed, so none was kept.`,
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

/** An exit code of 0 is no proof: the login is read back, from the entry or from the helper. */
async function checkLogin(
  host: string,
  credential: Credential,
  entry: AuthEntry,
  claim: HelperClaim | undefined,
  context: Context
): Promise<HeldLogin> {
  if (claim !== undefined) {
    return { host, entry, helper: await checkHelperLogin(claim, host, context) }
  }
  const found = parseEntry(entry)
  // docker keeps an identity token in place of the secret, where the registry gives one.
  const identityToken = stringAt(entry, 'identitytoken')
  if (identityToken !== undefined) context.mask(identityToken)
  const proven = identityToken !== undefined || found?.secret === credential.secret
  if (found?.username === credential.username && proven) return { host, entry }
  throw new UserError(
    `docker login for ${host} ended well, but wrote another login than this one.`,
    'Nothing was logged in. Which program is the docker on the PATH? Run: docker --version'
  )
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
