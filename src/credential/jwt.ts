import { parseObject } from '../json.ts'

function parseSegment(segment: string): Record<string, unknown> | undefined {
  return parseObject(Buffer.from(segment, 'base64url').toString())
}

/** The claims of a JWT, unverified: the registry verifies them. Undefined where the text is no JWT. */
export function parseClaims(token: string): Record<string, unknown> | undefined {
  const [header, claims, signature, ...rest] = token.split('.')
  if (header === undefined || claims === undefined || signature === undefined || rest.length > 0)
    return undefined
  return parseSegment(header) === undefined ? undefined : parseSegment(claims)
}

// The last second that a Date can hold.
const MAX_DATE_S = 8.64e12

/** A time in seconds since 1970, as a service gives it; undefined where it is none, or none that a Date can hold. */
export function parseSeconds(seconds: unknown): Date | undefined {
  return typeof seconds === 'number' && Math.abs(seconds) <= MAX_DATE_S ? new Date(seconds * 1000) : undefined
}

function timeAt(token: string, claim: string): Date | undefined {
  return parseSeconds(parseClaims(token)?.[claim])
}

/** When a token ends, from the `exp` in it; undefined where it is no JWT or has none. */
export function parseExpiry(token: string): Date | undefined {
  return timeAt(token, 'exp')
}

/** When a token was issued, by the issuer's own clock: the `iat` in it. Undefined where it is no JWT or has none. */
export function parseIssuedAt(token: string): Date | undefined {
  return timeAt(token, 'iat')
}

export function isJwt(text: string): boolean {
  return parseClaims(text) !== undefined
}
