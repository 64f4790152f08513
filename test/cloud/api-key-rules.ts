// What holds for each call about API keys: docs/references.md, "API keys", and what the platform SDK says of them.
// Where neither says with which status something is refused, the status is a choice, and the code is one
// that IBM does not have, so that nothing can rest on it.
import { holderOf } from './access-tokens.ts'
import type { ApiKey, Identity } from './data.ts'
import { bearerFrom } from './http.ts'
import type { Request } from './http.ts'
import { managementRefusal, transactionId } from './iam-errors.ts'
import type { Iam } from './iam.ts'
import type { World } from './world.ts'

export interface KeyCall {
  iam: Iam
  request: Request
  caller: Identity
}

export function requireCaller(iam: Iam, request: Request): Identity {
  const token = bearerFrom(request.headers['authorization'])
  if (token === undefined) {
    throw managementRefusal(request, 401, 'BXNIM0308E', 'No authorization header found')
  }
  const holder = holderOf(iam.world, iam.key, token)
  if (holder === undefined || holder.expired) {
    throw managementRefusal(request, 401, 'BXNIM0000E', 'Provided token is invalid or has expired.')
  }
  return holder.identity
}

/** A user's own keys are the user's; a service ID's are those of its Operators and Administrators. */
export function mayHandle(world: World, caller: Identity, owner: string): boolean {
  if (world.identity(owner)?.kind === 'user') return caller.kind === 'user' && caller.iamId === owner
  return world.mayAs(['Operator', 'Administrator'], caller.iamId, owner)
}

export function requireRight({ iam, request, caller }: KeyCall, owner: string): void {
  if (mayHandle(iam.world, caller, owner)) return
  throw managementRefusal(
    request,
    403,
    'BXNIM0000E',
    'You are not authorized to use this API key or identity.'
  )
}

export function keyBehind(call: KeyCall, id: string): ApiKey {
  const key = call.iam.world.apiKeys.find((candidate) => candidate.id === id)
  if (key === undefined || isPurged(key, call.iam.world)) throw unknownKey(call.request)
  requireRight(call, key.iamId)
  return key
}

/** Platform SDK: deleted for good when its end and its last change are both more than 90 days in the past. */
export function isPurged({ expiresAt = Infinity, createdAt }: ApiKey, world: World): boolean {
  return Math.max(expiresAt, createdAt) + 90 * 24 * 3600 < world.now()
}

export function unknownKey(request: Request): Error {
  return managementRefusal(request, 404, 'BXNIM0415E', 'Provided API key could not be found.')
}

export function headersFor(request: Request, key: ApiKey): Record<string, string> {
  return { 'Transaction-Id': transactionId(request), ETag: key.entityTag }
}

/** Without its value. */
export function describeKey(key: ApiKey): Record<string, unknown> {
  return {
    id: key.id,
    entity_tag: key.entityTag,
    crn: key.crn,
    locked: key.locked,
    disabled: key.disabled,
    created_at: isoMinutes(key.createdAt),
    created_by: key.createdBy,
    modified_at: isoMinutes(key.createdAt),
    ...(key.expiresAt === undefined ? {} : { expires_at: isoMinutes(key.expiresAt) }),
    name: key.name,
    description: key.description,
    support_sessions: key.supportSessions,
    action_when_leaked: key.actionWhenLeaked,
    iam_id: key.iamId,
    account_id: key.accountId
  }
}

/** yyyy-MM-ddTHH:mm+0000, to the minute ("API keys"). */
export function isoMinutes(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 16)}+0000`
}
