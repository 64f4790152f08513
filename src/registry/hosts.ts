import { UserError } from '../errors/user-error.ts'
import { quote } from '../errors/quote.ts'
import { isLoopback } from '../http/loopback.ts'

export interface RegistryReference {
  readonly host: string
  /** `namespace/repository`, if it is an image reference. */
  readonly repository?: string
}

// The grammar of an image reference: github.com/distribution/reference, regexp.go.
const COMPONENT = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*'
const IMAGE = new RegExp(
  `^(${COMPONENT}(?:/${COMPONENT})*)(?::\\w[\\w.-]{0,127})?(?:@[a-z0-9]+(?:[+._-][a-z0-9]+)*:[a-f0-9]{32,128})?$`
)

const REPOSITORY = new RegExp(`^${COMPONENT}(?:/${COMPONENT})+$`)

/** Whether a text is `namespace/repository`, without tag, digest or wildcard. */
export function isRepository(text: string): boolean {
  return REPOSITORY.test(text)
}

/**
 * The host, and the repository if there is one, of a host or an image reference; undefined if the text is neither,
 * or the host is outside of IBM's zones.
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

/** One of `repositories`, `namespace/repository` or `host/namespace/repository`. @throws UserError if it is neither */
export function parseRepository(text: string): { readonly host?: string; readonly repository: string } {
  const slash = text.search(/\/|$/)
  const first = text.slice(0, slash)
  const hasHost = isAllowedHost(first)
  const repository = hasHost ? text.slice(slash + 1) : text
  if (isRepository(repository)) return hasHost ? { host: first.toLowerCase(), repository } : { repository }
  throw new UserError(
    `repositories: "${quote(text)}" is not the name of a repository.`,
    'Write namespace/repository, or host/namespace/repository; in small letters, without tag or digest.'
  )
}

// RFC 1035, section 2.3.4, without the dot at the end.
export const MAX_HOST_LENGTH = 253

export const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'
const IBM_HOST = new RegExp(`^(?:(?:${LABEL}\\.)*icr\\.io|registry(?:\\.${LABEL})*\\.bluemix\\.net)$`, 'i')

/** Whether a host can be sent a secret: IBM's (docs/references.md, "Regions and hosts"), or this machine. */
export function isAllowedHost(host: string): boolean {
  return isIbmHost(host) || isLoopback(host)
}

/** Whether a host is in the registry's zones: `icr.io` and below, and the `bluemix.net` names of before 2019. */
export function isIbmHost(host: string): boolean {
  return host.length <= MAX_HOST_LENGTH && IBM_HOST.test(host)
}

/** The registry's origin: `https://HOST`, and plain http only on this machine. */
export function formatOrigin(host: string): string {
  return `${isLoopback(host) ? 'http' : 'https'}://${host}`
}
