import { quote, UserError } from '../errors/user-error.ts'

/** How the registry is reached: over the internet, inside IBM Cloud, or by its name of before 2019. */
export type Endpoint = 'public' | 'private' | 'legacy'

export interface Region {
  /** Today's name. */
  readonly name: string
  readonly host: string
  /** What the region was called until 2021. IBM's SDKs still take it. */
  readonly formerly?: string
  /** The host's name of before 25 February 2019. */
  readonly legacy?: string
  readonly city?: string
}

/** Every region of the registry, facts/ibm-cloud.md section 1.1. A new region is one row. */
export const REGIONS: readonly Region[] = [
  { name: 'global', host: 'icr.io', legacy: 'registry.bluemix.net' },
  { name: 'us-south', host: 'us.icr.io', legacy: 'registry.ng.bluemix.net', city: 'dallas' },
  {
    name: 'eu-gb',
    host: 'uk.icr.io',
    formerly: 'uk-south',
    legacy: 'registry.eu-gb.bluemix.net',
    city: 'london'
  },
  {
    name: 'eu-de',
    host: 'de.icr.io',
    formerly: 'eu-central',
    legacy: 'registry.eu-de.bluemix.net',
    city: 'frankfurt'
  },
  {
    name: 'au-syd',
    host: 'au.icr.io',
    formerly: 'ap-south',
    legacy: 'registry.au-syd.bluemix.net',
    city: 'sydney'
  },
  { name: 'jp-tok', host: 'jp.icr.io', formerly: 'ap-north', city: 'tokyo' },
  { name: 'jp-osa', host: 'jp2.icr.io', city: 'osaka' },
  { name: 'ca-tor', host: 'ca.icr.io', city: 'toronto' },
  { name: 'ca-mon', host: 'ca2.icr.io', city: 'montreal' },
  { name: 'br-sao', host: 'br.icr.io', city: 'sao-paulo' },
  { name: 'eu-es', host: 'es.icr.io', city: 'madrid' },
  { name: 'in-che', host: 'in.icr.io', city: 'chennai' },
  { name: 'in-mum', host: 'in2.icr.io', city: 'mumbai' },
  { name: 'eu-fr2', host: 'fr2.icr.io', city: 'paris' }
]

/**
 * The registry host of a region; undefined where no region has that name.
 * @param name today's or the former name of a region, in any case
 * @throws UserError where the region has no such endpoint
 */
export function resolveRegion(name: string, endpoint: Endpoint): string | undefined {
  const region = findRegion(name)
  if (region === undefined || endpoint === 'public') return region?.host
  if (endpoint === 'private') return `private.${region.host}`
  if (region.legacy !== undefined) return region.legacy
  const having = REGIONS.filter(({ legacy }) => legacy !== undefined).map((other) => other.name)
  throw new UserError(
    `The region ${region.name} has no legacy host: it opened after the bluemix.net names.`,
    `Leave endpoint out (${region.host}). The regions with a legacy host are ${having.join(', ')}.`
  )
}

function findRegion(name: string): Region | undefined {
  // Only ASCII is folded: the Kelvin sign lowers to a plain k, and would make a look-alike of uk-south.
  if (!/^[A-Za-z0-9-]+$/.test(name)) return undefined
  const wanted = name.toLowerCase()
  return REGIONS.find((region) => region.name === wanted || region.formerly === wanted)
}

export interface RegistryReference {
  readonly host: string
  /** `namespace/repository`, where an image reference was given. */
  readonly repository?: string
}

// The grammar of an image reference: github.com/distribution/reference, regexp.go.
const COMPONENT = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*'
const IMAGE = new RegExp(
  `^(${COMPONENT}(?:/${COMPONENT})*)(?::\\w[\\w.-]{0,127})?(?:@[a-z0-9]+(?:[+._-][a-z0-9]+)*:[a-f0-9]{32,128})?$`
)

const REPOSITORY = new RegExp(`^${COMPONENT}(?:/${COMPONENT})+$`)

/**
 * The host, and the repository if there is one, of a host or an image reference; undefined where the text is neither,
 * or the host lies outside of IBM's zones.
 */
export function parseRegistry(text: string): RegistryReference | undefined {
  const slash = text.search(/\/|$/)
  const host = text.slice(0, slash)
  if (!isAllowedHost(host)) return undefined
  if (slash === text.length) return { host: host.toLowerCase() }
  const path = IMAGE.exec(text.slice(slash + 1))?.[1]
  if (path === undefined) return undefined
  return { host: host.toLowerCase(), ...(path.includes('/') ? { repository: path } : {}) }
}

/**
 * One of `repositories`: `namespace/repository`, or `host/namespace/repository`.
 * @throws UserError where it is neither
 */
export function parseRepository(text: string): { readonly host?: string; readonly repository: string } {
  const slash = text.search(/\/|$/)
  const first = text.slice(0, slash)
  const hasHost = isAllowedHost(first)
  const repository = hasHost ? text.slice(slash + 1) : text
  if (REPOSITORY.test(repository)) return hasHost ? { host: first.toLowerCase(), repository } : { repository }
  throw new UserError(
    `repositories: "${quote(text)}" is not the name of a repository.`,
    'Write namespace/repository, or host/namespace/repository; in small letters, without tag or digest.'
  )
}

/** Whether a host stands in the table of regions, under any of its names. */
export function isKnownHost(host: string): boolean {
  return REGIONS.some((region) => [region.host, `private.${region.host}`, region.legacy].includes(host))
}

// RFC 1035, section 2.3.4, less the dot at the end.
const LONGEST_HOST = 253
const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'
const IBM_HOST = new RegExp(`^(?:(?:${LABEL}\\.)*icr\\.io|registry(?:\\.${LABEL})*\\.bluemix\\.net)$`, 'i')

/**
 * Whether a registry host may be handed a secret: it lies in IBM's zones (facts section 1.3, the test that IBM's
 * own portieris makes, with the dots that it leaves out), or is this machine.
 */
export function isAllowedHost(host: string): boolean {
  return isIbmHost(host) || isLoopback(host)
}

/** Whether a host lies in the registry's zones: `icr.io` and below, and the `bluemix.net` names of before 2019. */
export function isIbmHost(host: string): boolean {
  return host.length <= LONGEST_HOST && IBM_HOST.test(host)
}

const LOOPBACK = /^(?:localhost|\[::1\]|127\.(\d{1,3})\.(\d{1,3})\.(\d{1,3}))(?::(\d{1,5}))?$/i

/** Whether `host` or `host:port` is this machine, in the plain spelling: no octal, no short forms, no names. */
export function isLoopback(host: string): boolean {
  const match = LOOPBACK.exec(host)
  if (match === null) return false
  const [, a, b, c, port] = match
  return (
    [a, b, c].every((octet) => octet === undefined || isPlainNumber(octet, 0, 255)) &&
    (port === undefined || isPlainNumber(port, 1, 65535))
  )
}

function isPlainNumber(text: string, least: number, most: number): boolean {
  const value = Number(text)
  return String(value) === text && value >= least && value <= most
}

/** The registry's address: `https://HOST`, and plain http on this machine alone. */
export function formatOrigin(host: string): string {
  return `${isLoopback(host) ? 'http' : 'https'}://${host}`
}

const IAM_URL = /^(https?:\/\/[^/]+?)(?:\/identity\/token)?\/?$/
const IAM_HOST = new RegExp(`^(?:(?:${LABEL}\\.)*iam\\.cloud\\.ibm\\.com|iam\\.test\\.cloud\\.ibm\\.com)$`)

/**
 * The origin of an IAM endpoint. A trailing `/identity/token` goes, as in IBM's SDKs (facts section 3.2).
 * @throws UserError where the host is not IBM's IAM or this machine
 */
export function parseIamUrl(text: string): string {
  const origin = IAM_URL.exec(text)?.[1]
  if (origin !== undefined && isIamOrigin(origin)) return origin
  throw new UserError(
    `iam-url: "${quote(text)}" is not an address of IBM Cloud IAM.`,
    'Leave it out, or give https://iam.cloud.ibm.com or a name under it, such as https://private.iam.cloud.ibm.com.'
  )
}

/** Whether IAM may be asked there: IBM's names over https, or this machine. */
export function isIamOrigin(origin: string): boolean {
  const host = /^https?:\/\/([^/]+)$/.exec(origin)?.[1]
  if (host === undefined) return false
  return isLoopback(host) || (origin.startsWith('https:') && isIamHost(host))
}

function isIamHost(host: string): boolean {
  return host.length <= LONGEST_HOST && IAM_HOST.test(host)
}
