import type { TrustedProfile } from '../credential/credential.ts'
import { UserError } from '../errors/user-error.ts'
import { formatList } from '../errors/quote.ts'
import { quote } from '../errors/quote.ts'
import type { AuthMethod, MintMethod } from './method.ts'
import { isMethodName, type MethodName, METHODS } from './methods.ts'
import { parseRepository } from '../registry/hosts.ts'

/** What the inputs ask to be minted. */
export interface MintInputs {
  readonly method: MethodName
  /** `namespace/repository` by host. */
  readonly repositories: ReadonlyMap<string, readonly string[]>
  /** IAM's ID of the service ID whose temporary key is made: `iam-ServiceId-…`. */
  readonly serviceId: string | undefined
  readonly lifetimeMs: number | undefined
  readonly readOnly: boolean
  /** A trusted profile to assume. */
  readonly profile: TrustedProfile | undefined
}

/** The inputs that `mint` is about, as they were given. */
export interface RawMintInputs {
  readonly mint: string
  readonly repositories: readonly string[]
  readonly serviceId: string
  /** As given, and in milliseconds. */
  readonly lifetime: { readonly text: string; readonly milliseconds: number } | undefined
  readonly readOnly: boolean
}

/** The rest of the job that the rules look at. */
export interface MintJobContext {
  readonly authMethod: AuthMethod
  readonly hosts: readonly string[]
  /** Repositories of the image references in `registry`. */
  readonly references: readonly { readonly host: string; readonly repository?: string }[]
  /** A trusted profile beside a secret. */
  readonly profile: TrustedProfile | undefined
}

/**
 * What is to be minted; undefined for `mint: none`.
 * @throws UserError for what a way needs and was not given, and for what makes no sense with it
 */
export function resolveMint(texts: RawMintInputs, job: MintJobContext): MintInputs | undefined {
  const { mint: method, serviceId, lifetime, readOnly } = texts
  if (method === 'none') {
    refuseWithoutMint(texts)
    return undefined
  }
  if (!isMethodName(method)) {
    throw new UserError(
      `mint: "${quote(method)}" is none.`,
      `Give one of none, ${Object.keys(METHODS).join(', ')}.`
    )
  }
  const rules: MintMethod = METHODS[method]
  checkMinter(method, rules, job)
  const repositories = resolveRepositories(texts.repositories, job)
  if (method === 'repository-token') checkEveryHost(job.hosts, repositories)
  if (lifetime !== undefined && lifetime.milliseconds > rules.maxLifetimeMs) {
    throw new UserError(
      `lifetime: ${lifetime.text} is longer than mint: ${method} can give, which is ${rules.maxLifetimeMs / 3_600_000}h.`,
      'Shorten it, or use mint: api-key, which lasts up to 24h.'
    )
  }
  return {
    method,
    repositories,
    serviceId: resolveServiceId(method, serviceId),
    lifetimeMs: lifetime?.milliseconds,
    readOnly,
    profile: method === 'iam-token' && job.authMethod !== 'keyless' ? job.profile : undefined
  }
}

function refuseWithoutMint({ repositories, serviceId, lifetime, readOnly }: RawMintInputs): void {
  const given = [
    ...(repositories.length > 0 ? ['repositories'] : []),
    ...(serviceId === '' ? [] : ['service-id']),
    ...(lifetime === undefined ? [] : ['lifetime']),
    ...(readOnly ? [] : ['read-only: false'])
  ]
  if (given.length === 0) return
  throw new UserError(
    `${formatList(given)} means nothing without mint.`,
    `Take it out, or give mint: ${Object.keys(METHODS).join(', ')}.`
  )
}

function checkMinter(method: string, rules: MintMethod, { authMethod, profile }: MintJobContext): void {
  const why = rules.unsupported[authMethod]
  if (why !== undefined) {
    throw new UserError(
      `mint: ${method} does not go with ${authMethod}: ${why}.`,
      'Give an api-key, or another mint.'
    )
  }
  if (method === 'iam-token' && authMethod === 'access-token' && profile === undefined) {
    throw new UserError(
      'mint: iam-token makes no sense with access-token alone: it is one already.',
      'Leave mint out, or give trusted-profile as well, which is assumed then.'
    )
  }
  if (rules.revoker !== undefined && authMethod !== 'keyless' && profile !== undefined) {
    throw new UserError(
      `trusted-profile does not go with mint: ${method} and ${authMethod}.`,
      'Take trusted-profile out, or use mint: iam-token, which assumes it.'
    )
  }
}

/** Every repository, under each host that it is on. */
function resolveRepositories(
  texts: readonly string[],
  { hosts, references }: MintJobContext
): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>(hosts.map((host) => [host, []]))
  for (const text of texts) {
    const { host, repository } = parseRepository(text)
    if (host !== undefined && !hosts.includes(host)) {
      throw new UserError(
        `repositories: "${quote(text)}" is on a host that this step does not log in to.`,
        `The hosts are ${formatList(hosts)}.`
      )
    }
    for (const at of host === undefined ? hosts : [host]) found.get(at)?.push(repository)
  }
  for (const { host, repository } of references)
    if (repository !== undefined) found.get(host)?.push(repository)
  return new Map([...found].map(([host, all]) => [host, [...new Set(all)]]))
}

function checkEveryHost(
  hosts: readonly string[],
  repositories: ReadonlyMap<string, readonly string[]>
): void {
  const without = hosts.filter((host) => repositories.get(host)?.length === 0)
  if (without.length === 0) return
  throw new UserError(
    `mint: repository-token needs to know the repositories on ${formatList(without)}.`,
    'Give repositories: namespace/repository, or an image reference in registry.'
  )
}

function resolveServiceId(method: string, text: string): string | undefined {
  if (method !== 'api-key') {
    if (text === '') return undefined
    throw new UserError(
      `service-id means nothing with mint: ${method}.`,
      'Take it out, or use mint: api-key.'
    )
  }
  const id = /^(?:iam-)?(ServiceId-[0-9A-Za-z-]{1,80})$/.exec(text)?.[1]
  if (id !== undefined) return `iam-${id}`
  throw new UserError(
    text === ''
      ? 'mint: api-key needs service-id.'
      : `service-id: "${quote(text)}" is not the ID of a service ID.`,
    'Give the ID of a service ID that may only pull: ServiceId-…, as ibmcloud iam service-ids --uuid shows it.'
  )
}
