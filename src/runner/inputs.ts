import * as core from '@actions/core'
import { checkNotExpired, parseTrustedProfile } from '../credential/credential.ts'
import type { SecretKind, TrustedProfile } from '../credential/credential.ts'
import type { Identity } from '../credential/identity.ts'
import type { WantedDocker } from '../docker/install.ts'
import { formatList } from '../errors/quote.ts'
import { UserError } from '../errors/user-error.ts'
import { isLoopback } from '../http/loopback.ts'
import { parseIamUrl } from '../iam/url.ts'
import type { RawMintInputs } from '../mint/inputs.ts'
import { explainRegion, explainRegistry, findMistake } from '../registry/hints.ts'
import { parseRegistry, type RegistryReference } from '../registry/hosts.ts'
import { isKnownHost, resolveRegion } from '../registry/regions.ts'
import { explainMissingSecrets } from './event.ts'
import { readSecrets } from './secrets.ts'
import { parseBoolean, parseDockerUrl, parseDockerVersion, parseDuration, parseEndpoint } from './values.ts'
import { MAX_LIFETIME_MS, MAX_TIMEOUT_MS } from './values.ts'

export interface Inputs {
  readonly identity: Identity
  /** The input `trusted-profile`: the username, or what a mint assumes. */
  readonly profile: TrustedProfile | undefined
  /** What `region` and `registry` name, in this order. */
  readonly references: readonly RegistryReference[]
  /** At least one, none twice. */
  readonly hosts: readonly string[]
  readonly mint: RawMintInputs | undefined
  readonly logout: boolean
  /** Whether the login is to lie in a directory of this job's own. */
  readonly isolate: boolean
  /** The docker CLI to install where there is none. */
  readonly docker: WantedDocker | undefined
  readonly iamUrl: string
  readonly timeoutMs: number
}

/**
 * Reads every input. Secrets are masked before anything else is looked at.
 * @param now milliseconds since 1970
 * @throws UserError for the first input that can't be used
 */
export function readInputs(now: number): Inputs {
  const secrets = readSecrets()
  const references = resolveReferences()
  const profileText = core.getInput('trusted-profile')
  const profile = profileText === '' ? undefined : parseTrustedProfile(profileText)
  return {
    identity: resolveIdentity(secrets, profile, now),
    profile,
    references,
    hosts: [...new Set(references.map(({ host }) => host))],
    mint: readMint(),
    ...readCleanup(),
    docker: readDocker(),
    iamUrl: parseIamUrl(readOr('iam-url')),
    timeoutMs: parseDuration('timeout', readOr('timeout'), MAX_TIMEOUT_MS)
  }
}

/** The defaults of action.yml once more: a workflow that passes an empty value on means the default too. */
export const DEFAULTS = {
  endpoint: 'public',
  mint: 'none',
  'read-only': 'true',
  isolate: 'false',
  logout: 'true',
  'docker-url': 'https://download.docker.com',
  'iam-url': 'https://iam.cloud.ibm.com',
  timeout: '60s'
} as const

function readOr(name: keyof typeof DEFAULTS): string {
  return core.getInput(name) || DEFAULTS[name]
}

/** The one secret that was given, or a trusted profile alone. */
function resolveIdentity(
  secrets: ReadonlyMap<SecretKind, string>,
  profile: TrustedProfile | undefined,
  now: number
): Identity {
  if (secrets.size > 1) {
    throw new UserError(
      `Two ways to log in were given: ${formatList([...secrets.keys()])}.`,
      'Give exactly one of api-key, access-token, refresh-token and registry-token.'
    )
  }
  const [given] = secrets
  if (given !== undefined) {
    const [kind, secret] = given
    if (kind === 'access-token') checkNotExpired(secret, now)
    return { kind, secret }
  }
  if (profile !== undefined) return { kind: 'keyless', profile }
  throw new UserError(
    'No way to log in was given: api-key, access-token, refresh-token, registry-token and trusted-profile are empty.',
    explainMissingSecrets(process.env) ??
      'Give one of them, say api-key: ${{ secrets.IBM_CLOUD_API_KEY }}. Does the secret exist?'
  )
}

/** `mint` and the inputs beside it; undefined where none of them was set. */
function readMint(): RawMintInputs | undefined {
  const [mint, serviceId, lifetime] = [readOr('mint'), core.getInput('service-id'), core.getInput('lifetime')]
  const readOnly = parseBoolean('read-only', readOr('read-only'))
  const repositories = split('repositories')
  if (mint === 'none' && repositories.length === 0 && serviceId === '' && lifetime === '' && readOnly)
    return undefined
  const milliseconds = lifetime === '' ? 0 : parseDuration('lifetime', lifetime, MAX_LIFETIME_MS)
  return {
    mint,
    serviceId,
    readOnly,
    repositories,
    lifetime: lifetime === '' ? undefined : { text: lifetime, milliseconds }
  }
}

function readDocker(): WantedDocker | undefined {
  const version = core.getInput('docker-version')
  const url = parseDockerUrl(readOr('docker-url'))
  return version === '' ? undefined : { version: parseDockerVersion(version), url }
}

function readCleanup(): Pick<Inputs, 'isolate' | 'logout'> {
  const isolate = parseBoolean('isolate', readOr('isolate'))
  const logout = parseBoolean('logout', readOr('logout'))
  if (logout || !isolate) return { isolate, logout }
  throw new UserError(
    'isolate: true does not go with logout: false: the directory of the job is removed with the login in it.',
    'Take one of the two out.'
  )
}

/** What `region` and `registry` name, in the order given. */
function resolveReferences(): RegistryReference[] {
  const endpoint = parseEndpoint(readOr('endpoint'))
  const references = [
    ...split('region').map((name) => ({ host: resolveRegion(name, endpoint) ?? fail(explainRegion(name)) })),
    ...split('registry').map(resolveRegistry)
  ]
  if (references.length > 0) return references
  throw new UserError(
    'No registry was given: region and registry are empty.',
    'Give region: us-south (or global, eu-de, …), or registry: us.icr.io.'
  )
}

function fail(error: UserError): never {
  throw error
}

/** A host that is not in the table may be a region of tomorrow, or a mistake that is known. */
function resolveRegistry(text: string): RegistryReference {
  const reference = parseRegistry(text) ?? fail(explainRegistry(text))
  const { host } = reference
  const mistake = isKnownHost(host) || isLoopback(host) ? undefined : findMistake(host)
  return mistake === undefined ? reference : fail(mistake)
}

/** Splits by commas, blanks and lines. A tab is none of them, and is refused with the name that holds it. */
function split(name: string): string[] {
  return core
    .getInput(name, { trimWhitespace: false })
    .split(/[ ,\r\n]+/)
    .filter((part) => part !== '')
}
