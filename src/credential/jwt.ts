import { parseObject } from '../json.ts'

/** The claims of a JWT, unverified: the registry verifies them. Undefined if the text is not a JWT. */
export function parseClaims(token: string): Record<string, unknown> | undefined {
  const parts = token.split('.')
  const [header, claims] = parts.map((part) => parseObject(Buffer.from(part, 'base64url').toString()))
  return parts.length === 3 && header !== undefined ? claims : undefined
}

// The last second of a Date's range.
const MAX_DATE_S = 8.64e12

/** A time in seconds since 1970; undefined if it is not a number, or out of a Date's range. */
export function parseSeconds(seconds: unknown): Date | undefined {
  return typeof seconds === 'number' && Math.abs(seconds) <= MAX_DATE_S ? new Date(seconds * 1000) : undefined
}

/** When a token expires, from its `exp`; undefined if it is not a JWT or has none. */
export function parseExpiry(token: string): Date | undefined {
  return parseSeconds(parseClaims(token)?.['exp'])
}

/** When a token was issued, by the issuer's clock, from its `iat`; undefined if it is not a JWT or has none. */
export function parseIssuedAt(token: string): Date | undefined {
  return parseSeconds(parseClaims(token)?.['iat'])
}
