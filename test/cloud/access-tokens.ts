// IAM access tokens: their claims are those of docs/references.md, "IAM tokens".
import type { Identity } from './data.ts'
import type { World } from './world.ts'
import { readClaims, signJwt, verifyJwt } from './jwt.ts'
import type { Claims, SigningKey } from './jwt.ts'

const ISSUER = 'https://iam.cloud.ibm.com/identity'

export interface Issuing {
  grantType: string
  clientId: string
  sessionId?: string | undefined
  /** Less, or more, than the account gives. */
  seconds?: number
}

export function issueAccessToken(
  world: World,
  key: SigningKey,
  identity: Identity,
  issuing: Issuing
): string {
  const now = world.now()
  const seconds = issuing.seconds ?? world.account(identity.accountId)?.accessTokenSeconds ?? 3600
  const claims = {
    ...identityClaims(identity),
    account: { valid: true, bss: identity.accountId, frozen: false },
    iat: now,
    exp: now + seconds,
    iss: ISSUER,
    grant_type: issuing.grantType,
    scope: 'ibm openid',
    client_id: issuing.clientId,
    ...(issuing.sessionId === undefined ? {} : { session_id: issuing.sessionId })
  }
  return signJwt(key, claims, { kid: key.id })
}

function identityClaims(identity: Identity): Claims {
  const { id, iamId, kind, name } = identity
  const common = { iam_id: iamId, id: iamId }
  if (kind === 'user') return { ...common, realmid: 'IBMid', sub: name }
  return { ...common, realmid: 'iam', sub: id, sub_type: kind === 'profile' ? 'Profile' : 'ServiceId' }
}

export interface TokenHolder {
  identity: Identity
  expired: boolean
}

/** Who an access token speaks for. Its key may be gone since: a token cannot be revoked ("IAM tokens"). */
export function holderOf(world: World, key: SigningKey, token: string): TokenHolder | undefined {
  const claims = verifyJwt(key, token)
  const identity = world.identity(String(claims?.['iam_id']))
  if (claims?.['iss'] !== ISSUER || identity === undefined) return undefined
  return { identity, expired: Number(claims['exp']) <= world.now() }
}

/** When a token ends, in seconds since 1970. */
export function endOf(token: string): number {
  return Number(readClaims(token)['exp'])
}
