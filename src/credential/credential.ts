import { formatTime } from '../errors/quote.ts'
import { UserError } from '../errors/user-error.ts'
import { parseObject } from '../json.ts'
import { parseClaims, parseExpiry } from './jwt.ts'

/** The inputs that hold a secret. */
export const SECRET_KINDS = ['api-key', 'registry-token', 'access-token', 'refresh-token'] as const
export type SecretKind = (typeof SECRET_KINDS)[number]

/** The username tells the registry what kind of secret the password is (docs/references.md, "Registry authentication"). */
export const USERNAMES: Readonly<Record<SecretKind, string>> = {
  'api-key': 'iamapikey',
  'registry-token': 'token',
  'access-token': 'iambearer',
  'refresh-token': 'iamrefresh'
}

export interface Credential {
  readonly username: string
  readonly secret: string
}

/** A credential as docker and HTTP's Basic scheme write it. */
export function formatBasic({ username, secret }: Credential): string {
  return Buffer.from(`${username}:${secret}`).toString('base64')
}

/**
 * The secret in an input: without spaces, quotes or `Bearer ` around it, or taken from the JSON file that the IBM Cloud
 * console downloads.
 * @throws UserError if it can't be a secret of that kind; the message contains nothing of it
 */
export function parseSecret(kind: SecretKind, pasted: string): string {
  const text = unwrap(pasted)
  const secret = text.startsWith('{') ? takeFromKeyFile(kind, text) : text
  checkSecret(kind, secret)
  return secret
}

function unwrap(pasted: string): string {
  const text = pasted.trim()
  const quoted = /^(["'])(.*)\1$/s.exec(text)?.[2]
  return (quoted ?? text).trim().replace(/^Bearer(?:\s+|$)/i, '')
}

function takeFromKeyFile(kind: SecretKind, text: string): string {
  const key = parseObject(text)?.['apikey']
  if (kind === 'api-key' && typeof key === 'string' && key.trim() !== '') return key.trim()
  throw new UserError(
    `${kind} holds JSON${kind === 'api-key' ? ' without an "apikey"' : ''}.`,
    kind === 'api-key'
      ? 'Give the API key itself, or the whole file that the IBM Cloud console downloads.'
      : 'If it is the file that the IBM Cloud console downloads, give it as api-key.'
  )
}

function checkSecret(kind: SecretKind, secret: string): void {
  if (secret === '')
    throw new UserError(
      `${kind} is empty but for quotes or "Bearer" around it.`,
      'Store the secret again, whole.'
    )
  // docker keeps a line break inside the secret (docs/references.md, "docker CLI"), and a header can't contain one.
  if (/[\r\n]/.test(secret))
    throw new UserError(`${kind} has a line break inside.`, 'Store the secret again, as one line.')
  // eslint-disable-next-line no-control-regex -- control characters are looked for
  if (/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(secret))
    throw new UserError(`${kind} has a control character inside.`, 'Store the secret again, as plain text.')
  const isJwt = parseClaims(secret) !== undefined
  if (kind === 'api-key' && isJwt) {
    throw new UserError(
      'api-key holds a token (a JWT), not an API key.',
      'Give it as access-token, or create an API key: ibmcloud iam service-api-key-create.'
    )
  }
  if (kind === 'access-token' && !isJwt) {
    throw new UserError(
      'access-token does not hold an IAM access token: those are JWTs, and begin with eyJ.',
      'If it is an API key, give it as api-key. If it is a refresh token, give it as refresh-token.'
    )
  }
}

/** An access token that expires sooner is refused: the job could not use it. */
const MIN_LIFETIME_MS = 60_000

/**
 * @param now milliseconds since 1970, by this machine's clock
 * @throws UserError if the access token has expired, or is about to; the message has both clocks
 */
export function checkNotExpired(token: string, now: number): void {
  const expiresAt = parseExpiry(token)
  if (expiresAt === undefined || expiresAt.getTime() - now > MIN_LIFETIME_MS) return
  const when = expiresAt.getTime() <= now ? 'ended' : 'ends'
  throw new UserError(
    `access-token ${when} at ${formatTime(expiresAt)}, and this runner's clock says ${formatTime(new Date(now))}.`,
    "Get a new one, or give an api-key, which does not end. If the runner's clock is wrong, set it."
  )
}

/** A trusted profile, by its ID, its CRN, or its name. */
export interface TrustedProfile {
  readonly by: 'id' | 'crn' | 'name'
  readonly value: string
}

/** Parses the input `trusted-profile`; the `iam-` before an ID is removed. */
export function parseTrustedProfile(text: string): TrustedProfile {
  if (text.startsWith('crn:')) return { by: 'crn', value: text }
  const id = /^(?:iam-)?(Profile-[0-9A-Za-z-]+)$/.exec(text)?.[1]
  return id === undefined ? { by: 'name', value: text } : { by: 'id', value: id }
}
