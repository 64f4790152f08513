import * as core from '@actions/core'
import {
  checkNotEnded,
  parseSecret,
  parseTrustedProfile,
  SECRET_KINDS,
  type SecretKind,
  type TrustedProfile
} from './credential.ts'
import { formatList, quote, UserError } from './errors.ts'
import {
  type Endpoint,
  isKnownHost,
  isLoopback,
  parseIamUrl,
  parseRegistry,
  resolveRegion
} from './registry-host.ts'

/** One way to prove who the job is: a secret, with or without a trusted profile; or the profile alone. */
export type Identity =
  | { readonly kind: SecretKind; readonly secret: string; readonly profileId?: string }
  | { readonly kind: 'keyless'; readonly profile: TrustedProfile }

export interface Inputs {
  readonly identity: Identity
  /** At least one, none twice. */
  readonly hosts: readonly string[]
  readonly logout: boolean
  readonly iamUrl: string
  readonly timeoutMs: number
}

/**
 * Reads every input. Secrets are masked before anything else is looked at.
 * @param now milliseconds since 1970
 * @throws UserError for the first input that can't be used
 */
export async function readInputs(now: number): Promise<Inputs> {
  const secrets = readSecrets()
  return {
    hosts: await resolveHosts(),
    identity: await resolveIdentity(secrets, now),
    logout: parseBoolean('logout', readOr('logout')),
    iamUrl: parseIamUrl(readOr('iam-url')),
    timeoutMs: parseDuration('timeout', readOr('timeout'))
  }
}

/** The defaults of action.yml once more: a workflow that passes an empty value on means the default too. */
export const DEFAULTS = {
  endpoint: 'public',
  logout: 'true',
  'iam-url': 'https://iam.cloud.ibm.com',
  timeout: '60s'
} as const

function readOr(name: keyof typeof DEFAULTS): string {
  return core.getInput(name) || DEFAULTS[name]
}

/** An input as it stands: a tab or a line end at its ends is looked at too. */
function readRaw(name: string): string {
  return core.getInput(name, { trimWhitespace: false })
}

type Secrets = ReadonlyMap<SecretKind, string>

/** The secrets that were given, each masked as pasted and as it will be used. */
function readSecrets(): Secrets {
  const pasted = SECRET_KINDS.map((kind) => [kind, readRaw(kind)] as const).filter(
    ([, text]) => text.trim() !== ''
  )
  for (const [, text] of pasted) maskPasted(text)
  const secrets = pasted.map(([kind, text]) => [kind, parseSecret(kind, text)] as const)
  for (const [kind, secret] of secrets) if (secret !== readRaw(kind)) core.setSecret(secret)
  return new Map(secrets)
}

/** Masks line by line: the lines of a key file hold the key, but a line that is a brace would hide every brace. */
function maskPasted(text: string): void {
  for (const line of text.split(/[\r\n]+/)) if (line.trim().length > 3) core.setSecret(line.trim())
}

async function resolveIdentity(secrets: Secrets, now: number): Promise<Identity> {
  const [given, ...more] = secrets
  const profileText = core.getInput('trusted-profile')
  const profile = profileText === '' ? undefined : parseTrustedProfile(profileText)
  if (more.length > 0) {
    throw new UserError(
      `Two ways to log in were given: ${formatList([...secrets.keys()])}.`,
      'Give exactly one of api-key, access-token, refresh-token and registry-token.'
    )
  }
  if (given === undefined) {
    if (profile !== undefined) return { kind: 'keyless', profile }
    throw await nothingGiven()
  }
  const [kind, secret] = given
  if (kind === 'access-token') checkNotEnded(secret, now)
  return profile === undefined ? { kind, secret } : { kind, secret, profileId: profileIdFor(kind, profile) }
}

/** A trusted profile's ID is a user name, with an API key as its password (facts/ibm-cloud.md section 4). */
function profileIdFor(kind: SecretKind, profile: TrustedProfile): string {
  if (kind !== 'api-key') {
    throw new UserError(
      `trusted-profile does not go with ${kind}.`,
      "Give it with the api-key of a service ID that the profile trusts, or alone on IBM Cloud's own machines."
    )
  }
  if (profile.by === 'id') return profile.value
  throw new UserError(
    `trusted-profile holds a ${profile.by === 'crn' ? 'CRN' : 'name'}, and the login needs the ID.`,
    'Write trusted-profile: Profile-…, as ibmcloud iam trusted-profile NAME shows it.'
  )
}

async function nothingGiven(): Promise<UserError> {
  const { explainMissingSecrets } = await import('./job-event.ts')
  return new UserError(
    'No way to log in was given: api-key, access-token, refresh-token, registry-token and trusted-profile are empty.',
    explainMissingSecrets(process.env) ??
      'Give one of them, say api-key: ${{ secrets.IBM_CLOUD_API_KEY }}. Does the secret exist?'
  )
}

/** The hosts of `region` and `registry`, in the order given, none twice. */
async function resolveHosts(): Promise<string[]> {
  const endpoint = parseEndpoint(readOr('endpoint'))
  const hosts: string[] = []
  for (const name of split('region')) hosts.push(resolveRegion(name, endpoint) ?? (await refuseRegion(name)))
  for (const text of split('registry')) hosts.push(await resolveRegistry(text))
  if (hosts.length > 0) return [...new Set(hosts)]
  throw new UserError(
    'No registry was given: region and registry are empty.',
    'Give region: us-south (or global, eu-de, …), or registry: us.icr.io.'
  )
}

async function refuseRegion(name: string): Promise<never> {
  const { explainRegion } = await import('./registry-hint.ts')
  throw explainRegion(name)
}

/** A host that is not in the table may be a region of tomorrow, or a mistake that is known. */
async function resolveRegistry(text: string): Promise<string> {
  const host = parseRegistry(text)?.host
  if (host !== undefined && (isKnownHost(host) || isLoopback(host))) return host
  const { explainRegistry, findMistake } = await import('./registry-hint.ts')
  if (host === undefined) throw explainRegistry(text)
  const mistake = findMistake(host)
  if (mistake !== undefined) throw mistake
  return host
}

/** Splits by commas, blanks and lines. A tab is none of them, and is refused with the name that holds it. */
function split(name: string): string[] {
  return readRaw(name)
    .split(/[ ,\r\n]+/)
    .filter((part) => part !== '')
}

const ENDPOINTS: readonly Endpoint[] = ['public', 'private', 'legacy']

function parseEndpoint(text: string): Endpoint {
  const endpoint = ENDPOINTS.find((name) => name === text)
  if (endpoint !== undefined) return endpoint
  throw new UserError(`endpoint: "${quote(text)}" is none.`, `Give ${ENDPOINTS.join(', ')}, or leave it out.`)
}

function parseBoolean(name: string, text: string): boolean {
  if (/^(?:true|false)$/i.test(text)) return text.toLowerCase() === 'true'
  throw new UserError(
    `${name}: "${quote(text)}" is neither true nor false.`,
    `Write ${name}: true or ${name}: false.`
  )
}

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 }
const LONGEST_TIMEOUT_MS = 3_600_000

/** `90s`, `15m`, `1h` in milliseconds. */
function parseDuration(name: string, text: string): number {
  const [, count = '', unit = ''] = /^(\d{1,5})([smh])$/.exec(text) ?? []
  const milliseconds = Number(count) * (UNITS[unit] ?? 0)
  if (milliseconds > 0 && milliseconds <= LONGEST_TIMEOUT_MS) return milliseconds
  throw new UserError(
    `${name}: "${quote(text)}" is not a time from 1s to 1h.`,
    `Write ${name}: 60s or ${name}: 2m.`
  )
}
