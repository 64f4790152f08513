// What POST /v1/apikeys is asked for: docs/references.md, "API keys", and the platform SDK's `CreateApiKeyParams`.
import { isoMinutes } from './api-key-rules.ts'
import type { ApiKey, Identity } from './data.ts'
import type { Request } from './http.ts'
import { badRequest } from './iam-errors.ts'

/** The fields that the client chooses, each checked. */
export function readKey(
  request: Request,
  body: Record<string, unknown>,
  owner: Identity,
  now: number
): Partial<ApiKey> {
  const { name, description = '', action_when_leaked: leaked = 'none', apikey } = body
  if (typeof name !== 'string' || name === '') throw badRequest(request, 'name is missing.')
  if (typeof description !== 'string') throw badRequest(request, 'description must be a string.')
  if (!isOneOf(['none', 'disable', 'delete'], leaked)) {
    throw badRequest(request, 'action_when_leaked must be none, disable or delete.')
  }
  // Platform SDK: a value of the client's own has 32 characters at least.
  if (apikey !== undefined && !(typeof apikey === 'string' && apikey.length >= 32)) {
    throw badRequest(request, 'apikey is too short.')
  }
  const expiresAt = readEnd(request, body['expires_at'], now)
  return {
    name,
    description,
    actionWhenLeaked: leaked,
    ...readSwitches(request, body, owner),
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(apikey === undefined ? {} : { value: apikey })
  }
}

function readSwitches(request: Request, body: Record<string, unknown>, owner: Identity): Partial<ApiKey> {
  const { store_value: storeValue = false, support_sessions: supportSessions = false } = body
  if (typeof storeValue !== 'boolean' || typeof supportSessions !== 'boolean') {
    throw badRequest(request, 'store_value and support_sessions must be true or false.')
  }
  // Platform SDK: "We don't allow storing of API keys for users."
  if (storeValue && owner.kind === 'user') throw badRequest(request, 'store_value must be false for a user.')
  const locked = request.headers['entity-lock'] === 'true'
  const disabled = request.headers['entity-disable'] === 'true'
  return { storeValue, supportSessions, locked, disabled }
}

function isOneOf(known: string[], value: unknown): value is string {
  return typeof value === 'string' && known.includes(value)
}

/** `yyyy-MM-ddTHH:mm+0000`, a day that there is, and (a choice) not over yet. */
function readEnd(request: Request, given: unknown, now: number): number | undefined {
  if (given === undefined || given === null) return undefined
  const end = typeof given === 'string' ? Date.parse(given.replace('+0000', 'Z')) / 1000 : NaN
  if (Number.isNaN(end) || isoMinutes(end) !== given) {
    throw badRequest(request, "expires_at must be in the format yyyy-MM-dd'T'HH:mm+0000.")
  }
  if (end <= now) throw badRequest(request, 'expires_at is over already.')
  return end
}
