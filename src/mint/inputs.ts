import type { TrustedProfile } from '../credential/credential.ts'
import type { Identity } from '../credential/identity.ts'
import { formatList, quote } from '../errors/quote.ts'
import { UserError } from '../errors/user-error.ts'
import { parseRepository, type RegistryReference } from '../registry/hosts.ts'
import { HOUR_MS, type MintOptions } from './method.ts'
import { isMethodName, type MethodName, METHODS } from './methods.ts'

/** What the inputs ask to be minted. */
export interface MintInputs extends MintOptions {
  readonly method: MethodName
}

/** The inputs that belong to `mint`, as they are set. */
export interface RawMintInputs {
  readonly mint: string
  readonly repositories: readonly string[]
  readonly serviceId: string
  /** As set, and in milliseconds. */
  readonly lifetime: { readonly text: string; readonly milliseconds: number } | undefined
  readonly readOnly: boolean
}

/** The other inputs that the rules depend on. */
interface OtherInputs {
  readonly authMethod: Identity['kind']
  readonly hosts: readonly string[]
  /** The image references in `registry`. */
  readonly references: readonly RegistryReference[]
  /** A trusted profile beside a secret. */
  readonly profile: TrustedProfile | undefined
}

/**
 * What is to be minted; undefined for `mint: none`.
 * @throws UserError if an input that the method needs is missing, or one can't be combined with it
 */
export function resolveMint(raw: RawMintInputs, others: OtherInputs): MintInputs | undefined {
  const { mint: method, lifetime, readOnly } = raw
  const names = Object.keys(METHODS).join(', ')
  if (method === 'none') {
    const unused = findUnused(raw)
    if (unused.length === 0) return undefined
    throw new UserError(
      `${formatList(unused)} means nothing without mint.`,
      `Take it out, or give mint: ${names}.`
    )
  }
  if (!isMethodName(method))
    throw new UserError(`mint: "${quote(method)}" is none.`, `Give one of none, ${names}.`)
  checkAuthMethod(method, others)
  const repositories = resolveRepositories(raw.repositories, others)
  if (method === 'repository-token') checkRepositories(repositories)
  const { maxLifetimeMs } = METHODS[method]
  if (lifetime !== undefined && lifetime.milliseconds > maxLifetimeMs) {
    throw new UserError(
      `lifetime: ${lifetime.text} is longer than mint: ${method} can give, which is ${maxLifetimeMs / HOUR_MS}h.`,
      'Shorten it, or use mint: api-key, which lasts up to 24h.'
    )
  }
  return {
    method,
    repositories,
    serviceId: resolveServiceId(method, raw.serviceId),
    lifetimeMs: lifetime?.milliseconds,
    readOnly,
    profile: method === 'iam-token' && others.authMethod !== 'keyless' ? others.profile : undefined
  }
}

function findUnused({ repositories, serviceId, lifetime, readOnly }: RawMintInputs): string[] {
  const isSet = {
    repositories: repositories.length > 0,
    'service-id': serviceId !== '',
    lifetime: lifetime !== undefined,
    'read-only: false': !readOnly
  }
  return Object.entries(isSet).flatMap(([name, set]) => (set ? [name] : []))
}

function checkAuthMethod(method: MethodName, { authMethod, profile }: OtherInputs): void {
  const { unsupported, revoker } = METHODS[method]
  const why = unsupported[authMethod]
  if (why !== undefined) {
    const what = `mint: ${method} does not go with ${authMethod}: ${why}.`
    throw new UserError(what, 'Give an api-key, or another mint.')
  }
  if (method === 'iam-token' && authMethod === 'access-token' && profile === undefined) {
    throw new UserError(
      'mint: iam-token makes no sense with access-token alone: it is one already.',
      'Leave mint out, or give trusted-profile as well, which is assumed then.'
    )
  }
  if (revoker !== undefined && authMethod !== 'keyless' && profile !== undefined) {
    throw new UserError(
      `trusted-profile does not go with mint: ${method} and ${authMethod}.`,
      'Take trusted-profile out, or use mint: iam-token, which assumes it.'
    )
  }
}

/** Each repository, under every host that it is on. */
function resolveRepositories(
  texts: readonly string[],
  { hosts, references }: OtherInputs
): ReadonlyMap<string, readonly string[]> {
  const found = new Map(hosts.map((host) => [host, new Set<string>()]))
  for (const text of texts) {
    const { host, repository } = parseRepository(text)
    if (host !== undefined && !hosts.includes(host)) {
      throw new UserError(
        `repositories: "${quote(text)}" is on a host that this step does not log in to.`,
        `The hosts are ${formatList(hosts)}.`
      )
    }
    for (const at of host === undefined ? hosts : [host]) found.get(at)?.add(repository)
  }
  for (const { host, repository } of references)
    if (repository !== undefined) found.get(host)?.add(repository)
  return new Map([...found].map(([host, all]) => [host, [...all]]))
}

/**
 * The room for `access` in a token: many servers and proxies accept a header of 8 KiB at most, such as nginx
 * (large_client_header_buffers), and 2 KiB are for its header, other claims and signature.
 */
const MAX_ACCESS_BYTES = 6 * 1024

function checkRepositories(repositories: MintInputs['repositories']): void {
  const without = [...repositories].flatMap(([host, names]) => (names.length === 0 ? [host] : []))
  if (without.length > 0) {
    throw new UserError(
      `mint: repository-token needs to know the repositories on ${formatList(without)}.`,
      'Give repositories: namespace/repository, or an image reference in registry.'
    )
  }
  for (const [host, names] of repositories) {
    let left = MAX_ACCESS_BYTES
    const fitting = names.filter((name) => (left -= entryBytes(name)) >= 0).length
    if (fitting === names.length) continue
    throw new UserError(
      `mint: repository-token: a token for the ${names.length} repositories on ${host} is too long: ` +
        'clients send it in a header, which is limited to 8 KiB.',
      `Set at most ${fitting} of these repositories, or use mint: iam-token.`
    )
  }
}

/** A repository's entry in the token's `access` claim, in base64. */
function entryBytes(name: string): number {
  return (JSON.stringify({ type: 'repository', name, actions: ['pull', 'push'] }).length * 4) / 3
}

function resolveServiceId(method: MethodName, text: string): string {
  const id = /^(?:iam-)?(ServiceId-[0-9A-Za-z-]{1,80})$/.exec(text)?.[1]
  if (method !== 'api-key' && text === '') return ''
  if (method !== 'api-key')
    throw new UserError(
      `service-id means nothing with mint: ${method}.`,
      'Take it out, or use mint: api-key.'
    )
  if (id !== undefined) return `iam-${id}`
  throw new UserError(
    text === ''
      ? 'mint: api-key needs service-id.'
      : `service-id: "${quote(text)}" is not the ID of a service ID.`,
    'Give the ID of a service ID that may only pull: ServiceId-…, as ibmcloud iam service-ids --uuid shows it.'
  )
}
