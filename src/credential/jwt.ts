import { parseObject } from '../json.ts'

function parseSegment(segment: string): Record<string, unknown> | undefined {
  return parseObject(Buffer.from(segment, 'base64url').toString())
}

/** The claims of a JWT, unverified: the registry verifies them. Undefined if the text is not a JWT. */
export function parseClaims(token: string): Record<string, unknown> | undefined {
  const [header, claims, signature, ...rest] = token.split('.')
  if (header === undefined || claims === undefined || signature === undefined || rest.length > 0)
    return undefined
  return parseSegment(header) === undefined ? undefined : parseSegment(claims)
}

// The last second of a Date's range.
const MAX_DATE_S = 8.64e12

/** A time in seconds since 1970; undefined if it is not a number, or out of a Date's range. */
export function parseSeconds(seconds: unknown): Date | undefined {
  return typeof seconds === 'number' && Math.abs(seconds) <= MAX_DATE_S ? new Date(seconds * 1000) : undefined
}

function timeAt(token: string, claim: string): Date | undefined {
  return parseSeconds(parseClaims(token)?.[claim])
}

/** When a token expires, from its `exp`; undefined if it is not a JWT or has none. */
export function parseExpiry(token: string): Date | undefined {
  return timeAt(token, 'exp')
}

/** When a token was issued, by the issuer's clock, from its `iat`; undefined if it is not a JWT or has none. */
export function parseIssuedAt(token: string): Date | undefined {
  return timeAt(token, 'iat')
}

export function isJwt(text: string): boolean {
  return parseClaims(text) !== undefined
}
