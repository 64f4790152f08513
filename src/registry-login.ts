import { createHash } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { helperFor, readConfig } from './config-file.ts'
import type { Context } from './context.ts'
import { type Credential, formatBasic } from './credential.ts'
import {
  type CredentialHelper,
  eraseFromHelper,
  findHelper,
  getFromHelper,
  storeInHelper
} from './credential-helper.ts'
import { dockerLogin, findDocker } from './docker-cli.ts'
import { configPath, type HeldLogin, hold } from './docker-config.ts'
import { messageOf, UserError } from './errors.ts'
import { stringAt } from './json.ts'
import type { AuthEntry, HelperUse, Release } from './ledger.ts'

/** What a job's login needs to know; state keeps it for the cleanup. */
export interface LoginPlan {
  readonly hosts: readonly string[]
  /** Names the job's login in the ledger. */
  readonly nonce: string
  /** The directory of the user's config.json. */
  readonly directory: string
  /** A directory for the logins while they are made, which does not exist yet. */
  readonly scratch: string
}

interface HostPlan {
  readonly host: string
  readonly helper?: CredentialHelper
  readonly use?: HelperUse
}

/**
 * Logs in to every host, side by side, and puts all the logins in the user's config.json, or none.
 * @throws UserError that names each host that failed, and why
 */
export async function logInToRegistries(plan: LoginPlan, credential: Credential, context: Context): Promise<void> {
  const hosts = await planHosts(plan, credential, context)
  const docker = await findDocker()
  context.note(docker === undefined ? 'No docker on the PATH: the login is made without it.' : `With ${docker}.`)
  await reserveHelpers(plan, hosts, context)
  await mkdir(plan.scratch, { mode: 0o700 })
  try {
    const logins = await logInSideBySide(hosts, async (host, index) => {
      const entry =
        docker === undefined
          ? await logInAlone(host, credential, context)
          : await logInWithDocker(docker, host, join(plan.scratch, String(index)), credential, context)
      return await checkLogin(host, entry, credential, context)
    })
    const dropped = await hold(plan.directory, plan.nonce, logins, context)
    await eraseUnused(dropped, context)
  } finally {
    await rm(plan.scratch, { recursive: true, force: true })
  }
}

/** Finds the helper of each host, and refuses where it holds what nobody could bring back. */
async function planHosts(plan: LoginPlan, credential: Credential, context: Context): Promise<HostPlan[]> {
  const path = configPath(plan.directory)
  const file = await readConfig(path)
  return await Promise.all(
    plan.hosts.map(async (host) => {
      const name = helperFor(file, host)
      if (name === undefined) return { host }
      const helper = await findHelper(name)
      const found = await getFromHelper(helper, host, context)
      if (found !== undefined && digest(found) !== digest(credential)) throw occupied(host, helper, path)
      return { host, helper, use: { name, before: found !== undefined, digest: digest(credential) } }
    })
  )
}

function occupied(host: string, { name }: CredentialHelper, path: string): UserError {
  return new UserError(
    `The credential helper "${name}" (${path}) holds another login for ${host}, which could not be brought back.`,
    'Give the job a DOCKER_CONFIG of its own, or run docker logout first if that login is not needed.'
  )
}

function digest({ username, secret }: Credential): string {
  return createHash('sha256').update(`${username}:${secret}`).digest('hex')
}

/** What goes into a helper is written down before it goes there. */
async function reserveHelpers(plan: LoginPlan, hosts: readonly HostPlan[], context: Context): Promise<void> {
  const logins = hosts.flatMap(({ host, use }) => (use === undefined ? [] : [{ host, entry: {}, helper: use }]))
  if (logins.length > 0) await hold(plan.directory, plan.nonce, logins, context)
}

async function logInSideBySide(
  hosts: readonly HostPlan[],
  logIn: (host: HostPlan, index: number) => Promise<HeldLogin>
): Promise<HeldLogin[]> {
  const results = await Promise.allSettled(hosts.map(logIn))
  const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []))
  if (failures.length === 1 && hosts.length === 1) throw failures[0]
  if (failures.length > 0) {
    throw new UserError(
      `${failures.length} of ${hosts.length} logins failed, so none was kept:`,
      failures.map(messageOf).join('\n')
    )
  }
  return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
}

async function logInWithDocker(
  docker: string,
  { host, helper }: HostPlan,
  directory: string,
  credential: Credential,
  context: Context
): Promise<AuthEntry> {
  return await dockerLogin({ docker, host, credential, helper: helper?.name, directory }, context)
}

/** The same handshake without docker. Loaded only where it is needed. */
async function logInAlone({ host, helper }: HostPlan, credential: Credential, context: Context): Promise<AuthEntry> {
  const { checkCredential } = await import('./registry.ts')
  await checkCredential(host, credential, context)
  if (helper === undefined) return { auth: formatBasic(credential) }
  await storeInHelper(helper, host, credential, context)
  return {}
}

/** An exit code of 0 is no proof: the login is read back, from the entry or from the helper. */
async function checkLogin(
  { host, helper, use }: HostPlan,
  entry: AuthEntry,
  credential: Credential,
  context: Context
): Promise<HeldLogin> {
  const found = helper === undefined ? parseEntry(entry) : await getFromHelper(helper, host, context)
  // docker keeps an identity token in place of the secret, and a helper keeps it under this name.
  const identityToken =
    stringAt(entry, 'identitytoken') ?? (found?.username === '<token>' ? found.secret : undefined)
  if (identityToken !== undefined) context.mask(identityToken)
  const userMatches = found?.username === credential.username || (use !== undefined && identityToken !== undefined)
  if (found === undefined || !userMatches || (identityToken === undefined && found.secret !== credential.secret)) {
    throw new UserError(
      `docker login for ${host} ended well, but wrote another login than this one.`,
      'Nothing was logged in. Which program is the docker on the PATH? Run: docker --version'
    )
  }
  return { host, entry, ...(use === undefined ? {} : { helper: { ...use, digest: digest(found) } }) }
}

function parseEntry(entry: AuthEntry): Credential | undefined {
  const text = Buffer.from(stringAt(entry, 'auth') ?? '', 'base64').toString()
  const colon = text.indexOf(':')
  return colon < 0 ? undefined : { username: text.slice(0, colon), secret: text.slice(colon + 1) }
}

/**
 * Makes credential helpers forget what nobody of ours needs any longer, unless they held it before us, or hold
 * something else by now.
 * @returns the hosts whose helper holds something else
 * @throws UserError where a helper fails, or holds the login still
 */
export async function eraseUnused(releases: readonly Release[], context: Context): Promise<string[]> {
  const changed: string[] = []
  for (const { host, helper: use } of releases) {
    if (use === undefined || use.before) continue
    const helper = await findHelper(use.name)
    const found = await getFromHelper(helper, host, context)
    if (found === undefined) continue
    if (digest(found) === use.digest) await eraseAndCheck(helper, host, context)
    else changed.push(host)
  }
  return changed
}

async function eraseAndCheck(helper: CredentialHelper, host: string, context: Context): Promise<void> {
  await eraseFromHelper(helper, host, context)
  if ((await getFromHelper(helper, host, context)) === undefined) return
  throw new UserError(
    `The credential helper "${helper.name}" still holds the login for ${host}.`,
    `Erase it by hand: echo ${host} | docker-credential-${helper.name} erase`
  )
}
