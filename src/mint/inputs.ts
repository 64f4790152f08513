import type { TrustedProfile } from '../credential/credential.ts'
import { formatList, quote, UserError } from '../errors/user-error.ts'
import type { Minter, MintWay } from './method.ts'
import { isWayName, type WayName, WAYS } from './methods.ts'
import { parseRepository } from '../registry/hosts.ts'

/** What the inputs ask to be minted. */
export interface MintInputs {
  readonly way: WayName
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
export interface MintTexts {
  readonly mint: string
  readonly repositories: readonly string[]
  readonly serviceId: string
  /** As given, and in milliseconds. */
  readonly lifetime: { readonly text: string; readonly milliseconds: number } | undefined
  readonly readOnly: boolean
}

/** The rest of the job that the rules look at. */
export interface MintSurroundings {
  readonly minter: Minter
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
export function resolveMint(texts: MintTexts, job: MintSurroundings): MintInputs | undefined {
  const { mint: way, serviceId, lifetime, readOnly } = texts
  if (way === 'none') {
    refuseWithoutMint(texts)
    return undefined
  }
  if (!isWayName(way)) {
    throw new UserError(
      `mint: "${quote(way)}" is none.`,
      `Give one of none, ${Object.keys(WAYS).join(', ')}.`
    )
  }
  const rules: MintWay = WAYS[way]
  checkMinter(way, rules, job)
  const repositories = resolveRepositories(texts.repositories, job)
  if (way === 'repository-token') checkEveryHost(job.hosts, repositories)
  if (lifetime !== undefined && lifetime.milliseconds > rules.longestMs) {
    throw new UserError(
      `lifetime: ${lifetime.text} is longer than mint: ${way} can give, which is ${rules.longestMs / 3_600_000}h.`,
      'Shorten it, or use mint: api-key, which lasts up to 24h.'
    )
  }
  return {
    way,
    repositories,
    serviceId: resolveServiceId(way, serviceId),
    lifetimeMs: lifetime?.milliseconds,
    readOnly,
    profile: way === 'iam-token' && job.minter !== 'keyless' ? job.profile : undefined
  }
}

function refuseWithoutMint({ repositories, serviceId, lifetime, readOnly }: MintTexts): void {
  const given = [
    ...(repositories.length > 0 ? ['repositories'] : []),
    ...(serviceId === '' ? [] : ['service-id']),
    ...(lifetime === undefined ? [] : ['lifetime']),
    ...(readOnly ? [] : ['read-only: false'])
  ]
  if (given.length === 0) return
  throw new UserError(
    `${formatList(given)} means nothing without mint.`,
    `Take it out, or give mint: ${Object.keys(WAYS).join(', ')}.`
  )
}

function checkMinter(way: string, rules: MintWay, { minter, profile }: MintSurroundings): void {
  const why = rules.refuses[minter]
  if (why !== undefined) {
    throw new UserError(
      `mint: ${way} does not go with ${minter}: ${why}.`,
      'Give an api-key, or another mint.'
    )
  }
  if (way === 'iam-token' && minter === 'access-token' && profile === undefined) {
    throw new UserError(
      'mint: iam-token makes no sense with access-token alone: it is one already.',
      'Leave mint out, or give trusted-profile as well, which is assumed then.'
    )
  }
  if (rules.revoker !== undefined && minter !== 'keyless' && profile !== undefined) {
    throw new UserError(
      `trusted-profile does not go with mint: ${way} and ${minter}.`,
      'Take trusted-profile out, or use mint: iam-token, which assumes it.'
    )
  }
}

/** Every repository, under each host that it is on. */
function resolveRepositories(
  texts: readonly string[],
  { hosts, references }: MintSurroundings
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

function resolveServiceId(way: string, text: string): string | undefined {
  if (way !== 'api-key') {
    if (text === '') return undefined
    throw new UserError(`service-id means nothing with mint: ${way}.`, 'Take it out, or use mint: api-key.')
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
