import { mkdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { AuthEntry } from './config/ledger.ts'
import { type ConfigFile, configPath, helperFor, readConfig } from './config/file.ts'
import type { Context } from '../context.ts'
import { type Credential, formatBasic } from '../credential/credential.ts'
import { dockerLogin, WHICH_DOCKER } from './cli.ts'
import { findProgram } from './run.ts'
import { addLogins, hashJob, type HeldLogin } from './config/user-config.ts'
import { explainWrite } from './config/write.ts'
import { messageOf, UserError } from '../errors/user-error.ts'
import { storeInHelper } from './helper.ts'
import { checkHelperLogin, claimHelper, eraseUnused, type HelperClaim, joinStore } from './helper-login.ts'
import { isLogin, readHomeConfig, undoStray } from './stray-login.ts'

/** Where a job's login is made. */
export interface LoginPlan {
  /** Names the job's login in the ledger. */
  readonly loginId: string
  /** The directory of the user's config.json. */
  readonly directory: string
  /** A directory for the logins while they are made, which does not exist yet. */
  readonly scratch: string
}

/** A login that `docker login` makes. */
export interface CredentialLogin {
  readonly host: string
  readonly credential: Credential
  /** Until then the registry may not know it everywhere; milliseconds since 1970. */
  readonly settlesAt?: number | undefined
}

/** What config.json is to hold for a host; a registry's own token for some repositories `docker login` can't store. */
export type WantedLogin = CredentialLogin | { readonly host: string; readonly registryToken: string }

/** With the credential helper that config.json names for the host. */
type HostPlan = WantedLogin & { readonly claim?: HelperClaim }

/** Checks a credential with the registry, where there is no docker to do it. */
type LogInWithoutDocker = (login: CredentialLogin, context: Context) => Promise<void>

/**
 * Logs in to every host, side by side, and puts all the logins in the user's config.json, or none.
 * @throws UserError that names each host that failed, and why
 */
export async function logInToRegistries(
  { loginId, directory, scratch }: LoginPlan,
  wanted: readonly WantedLogin[],
  logInWithoutDocker: LogInWithoutDocker,
  context: Context
): Promise<void> {
  const owner = { loginId, job: hashJob(process.env) }
  const file = readConfig(configPath(directory))
  const plans = await Promise.all(wanted.map(async (login) => planHost(login, file, directory, context)))
  // What goes into a helper is written down before it goes there.
  const reserved = plans.flatMap(({ host, claim }) =>
    claim === undefined ? [] : [{ host, entry: {}, helper: claim.use }]
  )
  if (reserved.length > 0) await addLogins(directory, owner, reserved, context)
  for (const { host, helper } of reserved) joinStore(directory, host, helper)
  const logins = await logInSideBySide(plans, { directory, file, scratch }, logInWithoutDocker, context)
  await eraseUnused(directory, await addLogins(directory, owner, logins, context, file), context)
}

/** Helpers are looked at only where config.json names one. */
async function planHost(
  login: WantedLogin,
  file: ConfigFile,
  directory: string,
  context: Context
): Promise<HostPlan> {
  const name = helperFor(file, login.host)
  if (name === undefined) return login
  const path = configPath(directory)
  if ('credential' in login) return { ...login, claim: await claimHelper(name, { ...login, path }, context) }
  throw new UserError(
    `mint: repository-token can't be kept for ${login.host}: ${path} names the credential helper "${name}", which can't hold one.`,
    'Give isolate: true, which keeps this login away from it, or use mint: iam-token.'
  )
}

async function logInSideBySide(
  plans: readonly HostPlan[],
  { directory, file, scratch }: { directory: string; file: ConfigFile; scratch: string },
  logInWithoutDocker: LogInWithoutDocker,
  context: Context
): Promise<HeldLogin[]> {
  const docker = await findProgram('docker')
  const how =
    docker === undefined ? 'No docker on the PATH: logging in without it.' : `Logging in with ${docker}.`
  if (plans.some((plan) => 'credential' in plan)) context.info(how)
  const userConfigs = [{ directory, file }, ...readHomeConfig()]
  makeScratch(scratch)
  const results = await settleAll(plans, async (plan, index) =>
    logIn(plan, docker ?? logInWithoutDocker, join(scratch, String(index)), context)
  )
  rmSync(scratch, { recursive: true, force: true, maxRetries: 3 })
  const logins: HeldLogin[] = []
  const failures: unknown[] = []
  for (const [index, plan] of plans.entries()) {
    const result = results[index]
    if (result?.status === 'rejected') failures.push(result.reason)
    else if (result?.value !== undefined) logins.push(result.value)
    // Not before all have ended: docker writes what it has read, with the logins of the others.
    else if ('credential' in plan) failures.push(await undoStray(plan, userConfigs, context))
  }
  if (failures.length === 0) return logins
  if (plans.length === 1) throw failures[0]
  throw new UserError(
    `${failures.length} of ${plans.length} logins failed, so none was kept.`,
    failures.map(messageOf).join('\n')
  )
}

const MAX_PARALLEL = 16

/** As Promise.allSettled, but 16 at a time. */
async function settleAll<T, R>(
  items: readonly T[],
  work: (item: T, index: number) => Promise<R>
): Promise<PromiseSettledResult<R>[]> {
  const results: PromiseSettledResult<R>[] = []
  const queue = items.entries()
  const takeFromQueue = async (): Promise<void> => {
    for (const [index, item] of queue) [results[index]] = await Promise.allSettled([work(item, index)])
  }
  await Promise.all(Array.from({ length: MAX_PARALLEL }, takeFromQueue))
  return results
}

function makeScratch(scratch: string): void {
  try {
    mkdirSync(dirname(scratch), { recursive: true })
    mkdirSync(scratch, { mode: 0o700 })
  } catch (error) {
    throw explainWrite(scratch, error)
  }
}

/**
 * @param docker its path, or what takes its place
 * @param directory for this login alone
 * @returns undefined where docker exited with code 0, but stored nothing in the directory
 */
async function logIn(
  plan: HostPlan,
  docker: string | LogInWithoutDocker,
  directory: string,
  context: Context
): Promise<HeldLogin | undefined> {
  const { host, claim } = plan
  if ('registryToken' in plan) return { host, entry: { registrytoken: plan.registryToken } }
  const { credential } = plan
  const entry =
    typeof docker === 'string'
      ? await dockerLogin({ ...plan, docker, helper: claim?.helper.name, directory }, context)
      : await storeVerified(plan, claim, docker, context)
  if (entry === undefined) return undefined
  const held = { host, entry, username: credential.username }
  // An exit code of 0 is not trusted: the login is read back.
  if (claim !== undefined) return { ...held, helper: await checkHelperLogin(claim, host, context) }
  if (isLogin(entry, credential, context)) return held
  throw new UserError(
    `docker login for ${host} exited with code 0, but stored another credential.`,
    WHICH_DOCKER
  )
}

/** The same token exchange without docker. */
async function storeVerified(
  login: CredentialLogin,
  claim: HelperClaim | undefined,
  logInWithoutDocker: LogInWithoutDocker,
  context: Context
): Promise<AuthEntry> {
  await logInWithoutDocker(login, context)
  if (claim === undefined) return { auth: formatBasic(login.credential) }
  await storeInHelper(claim.helper, login.host, login.credential, context)
  return {}
}
