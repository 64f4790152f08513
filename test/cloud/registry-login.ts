// The five usernames, and what each is refused with: docs/references.md, "Registry authentication", and "Registry tokens" for
// `token`.
import { holderOf } from './access-tokens.ts'
import type { Account, ApiKey } from './data.ts'
import type { World } from './world.ts'
import { usableApiKey, usableSession } from './grants.ts'
import type { Request } from './http.ts'
import { IamRefusal } from './iam-errors.ts'
import { looksLikeJwt } from './jwt.ts'
import { livesElsewhere } from './registry-access.ts'
import type { Caller } from './registry-access.ts'
import { denied, unauthorized, unsupported } from './registry-errors.ts'
import type { Registry } from './registry.ts'

interface Login {
  registry: Registry
  request: Request
  username: string
  password: string
}

type Way = (login: Login) => Caller

const WAYS: Record<string, Way> = {
  iamapikey: byApiKey,
  iambearer: byAccessToken,
  iamrefresh: byRefreshToken,
  token: byRegistryToken
}

export function logIn(registry: Registry, request: Request, username: string, password: string): Caller {
  const way = username.startsWith('Profile-') ? byProfile : WAYS[username]
  if (way === undefined) throw unsupported()
  const caller = way({ registry, request, username, password })
  requireOpenDoor(registry, request, caller)
  return caller
}

function byApiKey({ registry, request, password }: Login): Caller {
  // A secret of another kind: the combination is not valid, which the docs give as 400.
  if (looksLikeJwt(password)) throw unauthorized('notValid', 400)
  return identityOf(registry.world, apiKey(registry, request, password).iamId)
}

function byProfile({ registry, request, username, password }: Login): Caller {
  if (looksLikeJwt(password)) throw unauthorized('notValid', 400)
  const key = apiKey(registry, request, password)
  const profile = registry.world.profile(({ id }) => id === username)
  if (profile?.trusts.includes(key.iamId) !== true) throw unauthorized('notValid')
  // Only a service ID's key: a user's is not what the profile's page describes.
  if (registry.world.identity(key.iamId)?.kind !== 'service-id') throw unauthorized('notValid')
  return identityOf(registry.world, profile.iamId)
}

function byAccessToken({ registry, password }: Login): Caller {
  if (!looksLikeJwt(password)) throw unauthorized('notValid', 400)
  const holder = holderOf(registry.world, registry.iamKey, password)
  if (holder === undefined) throw unauthorized('notValid')
  if (holder.expired) throw unauthorized('authorizationRequired')
  return identityOf(registry.world, holder.identity.iamId)
}

function byRefreshToken({ registry, request, password }: Login): Caller {
  const session = askIam(() => usableSession(registry.world, request, password))
  return identityOf(registry.world, session.iamId)
}

/** Section 2.1: refused since 19 August 2021, except where a registry still speaks them. */
function byRegistryToken({ registry, password }: Login): Caller {
  const { world } = registry
  const token = world.registryTokens.find(
    ({ value, region }) => value === password && region === registry.region
  )
  const alive = token !== undefined && !token.revoked && (token.expiresAt ?? Infinity) > world.now()
  if (!registry.registryTokens || !alive) throw unauthorized('notValid')
  return { kind: 'registry-token', id: token.id, accountId: token.accountId, readOnly: token.readOnly }
}

function apiKey(registry: Registry, request: Request, value: string): ApiKey {
  return askIam(() => usableApiKey(registry.world, request, value))
}

/** What IAM says of a key or token, in the registry's words. */
function askIam<T>(ask: () => T): T {
  try {
    return ask()
  } catch (error) {
    if (!(error instanceof IamRefusal)) throw error
    const unknown = error.code === 'BXNIM0415E' || error.code === 'BXNIM0407E'
    throw unauthorized(unknown ? 'notValid' : 'iamRefused')
  }
}

function identityOf(world: World, iamId: string): Caller {
  const identity = world.identity(iamId)
  if (identity === undefined) throw unauthorized('notValid')
  return { kind: 'identity', iamId, accountId: identity.accountId }
}

function requireOpenDoor(registry: Registry, request: Request, caller: Caller): void {
  if (caller.kind === 'anonymous') return
  const account = registry.world.account(caller.accountId)
  if (account?.active !== true) throw unauthorized('notValid')
  if (account.privateOnly && !isPrivate(registry, request)) throw denied('privateOnly')
  if (!admits(account, request.clientIp)) throw unauthorized('iamRefused')
  if (caller.kind === 'identity' && livesElsewhere(registry.world, registry.region, caller.iamId)) {
    throw unauthorized('authorizationRequired')
  }
}

/** Section 1.5: the registry passes the client's address on to IAM, which knows the account's list. */
function admits(account: Account, clientIp: string): boolean {
  return account.allowedIps?.includes(clientIp) ?? true
}

function isPrivate(registry: Registry, request: Request): boolean {
  return registry.private || request.host.startsWith('private.')
}
