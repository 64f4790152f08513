// GET and POST /oauth/token: docs/references.md, "Registry authentication". The bearer token is the one a real
// docker-registry trusts: RS256, with the certificate of its key in `x5c`.
import { randomBytes, randomUUID } from 'node:crypto'
import { basicFrom, json, readForm } from './http.ts'
import type { Reply, Request } from './http.ts'
import { signJwt, verifyJwt } from './jwt.ts'
import type { Claims } from './jwt.ts'
import { denialOf, grant, parseScopes } from './registry-access.ts'
import type { Access, Caller } from './registry-access.ts'
import { denied, malformed, unauthorized } from './registry-errors.ts'
import { logIn } from './registry-login.ts'
import type { Registry } from './registry.ts'

export const ISSUER = 'icr-stand-in'
export const SERVICE = 'registry'

interface Asking {
  scopes: Access[]
  /** Undefined for those who say nothing of who they are. */
  login: { username: string; password: string } | undefined
  wantsIdentityToken: boolean
}

export async function giveToken(registry: Registry, request: Request): Promise<Reply> {
  if (request.method === 'POST' && !registry.postForm) return { status: 405, headers: { Allow: 'GET' } }
  const asking = request.method === 'POST' ? await readTokenForm(registry, request) : readTokenQuery(request)
  const caller: Caller = asking.login
    ? logIn(registry, request, asking.login.username, asking.login.password)
    : { kind: 'anonymous' }
  const access = grantAll(registry, caller, asking.scopes)
  return tokenReply(registry, caller, access, identityTokenFor(registry, asking))
}

function readTokenQuery({ query, headers }: Request): Asking {
  requireService(query)
  return {
    scopes: parseScopes(query.getAll('scope')),
    login: basicFrom(headers['authorization']),
    wantsIdentityToken: query.get('offline_token') === 'true'
  }
}

async function readTokenForm(registry: Registry, request: Request): Promise<Asking> {
  const form = await readForm(request)
  requireService(form)
  return {
    scopes: parseScopes(form.getAll('scope')),
    login: loginOfForm(registry, form),
    wantsIdentityToken: form.get('access_type') === 'offline'
  }
}

/** PORT's own check sends no service at all; one that is another, or whose name begins with a blank, is 400. */
function requireService(parameters: URLSearchParams): void {
  const misread = [...parameters.keys()].some((name) => name !== name.trim())
  if (misread || (parameters.get('service') ?? SERVICE) !== SERVICE) throw malformed()
}

function loginOfForm(registry: Registry, form: URLSearchParams): Asking['login'] {
  const grantType = form.get('grant_type')
  if (grantType === 'refresh_token') return loginBehind(registry, form.get('refresh_token'))
  if (grantType !== 'password') throw malformed()
  return { username: form.get('username') ?? '', password: form.get('password') ?? '' }
}

/** An identity token is good for as long as the secret that it was given for. */
function loginBehind({ world, region }: Registry, value: string | null): Asking['login'] {
  const token = world.identityTokens.find(
    (candidate) => candidate.value === value && candidate.region === region
  )
  if (token === undefined) throw unauthorized('notValid')
  return token
}

function grantAll(registry: Registry, caller: Caller, asked: Access[]): Access[] {
  const granted = asked.map((scope) => grant(registry.world, registry.region, caller, scope))
  // Without credentials there is nothing but public images ("Registry authentication", galasa and cephadm).
  if (caller.kind === 'anonymous' && !granted.some(({ actions }) => actions.length > 0)) {
    throw unauthorized('authorizationRequired')
  }
  const short = asked.find((scope, index) => granted[index]?.actions.length !== scope.actions.length)
  if (short !== undefined && registry.refusesLargerScope) {
    const status = registry.refusesLargerScope === 401 ? 401 : 403
    throw denied(denialOf(registry.world, registry.region, caller, short.name), status)
  }
  return granted.filter(({ actions }) => actions.length > 0)
}

function identityTokenFor(registry: Registry, { login, wantsIdentityToken }: Asking): string | undefined {
  if (!registry.identityTokens || !wantsIdentityToken || login === undefined) return undefined
  const value = randomBytes(96).toString('base64url')
  const { username, password } = login
  registry.world.identityTokens.push({ value, region: registry.region, username, password })
  return value
}

function tokenReply(
  registry: Registry,
  caller: Caller,
  access: Access[],
  identityToken: string | undefined
): Reply {
  const now = registry.world.now()
  const token = issueToken(registry, claimsOf(registry, caller, access, now))
  return json(200, {
    token,
    access_token: token,
    ...(identityToken === undefined ? {} : { refresh_token: identityToken }),
    ...(registry.saysLifetime ? { expires_in: registry.tokenSeconds } : {}),
    issued_at: new Date(now * 1000).toISOString()
  })
}

function claimsOf(registry: Registry, caller: Caller, access: Access[], now: number): Claims {
  return {
    iss: ISSUER,
    aud: SERVICE,
    sub: caller.kind === 'identity' ? caller.iamId : caller.kind,
    iat: now,
    nbf: now - 10,
    exp: now + registry.tokenSeconds,
    jti: randomUUID(),
    access,
    region: registry.region,
    caller
  }
}

function issueToken(registry: Registry, claims: Claims): string {
  if (registry.opaqueTokens) {
    const token = randomBytes(96).toString('base64url')
    registry.given.set(token, claims)
    return token
  }
  return signJwt(registry.key, claims, { x5c: [registry.key.certificateDer] })
}

export interface Bearer {
  caller: Caller
  access: Access[]
}

/** What a token of this region's registry says, if it still holds. */
export function readToken(registry: Registry, token: string): Bearer | undefined {
  const claims = registry.opaqueTokens ? registry.given.get(token) : verifyJwt(registry.key, token)
  if (claims?.['region'] !== registry.region || Number(claims['exp']) <= registry.world.now())
    return undefined
  return claims as unknown as Bearer
}
