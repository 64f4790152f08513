import { parseClaims } from '../credential/jwt.ts'
import { hasDuplicateKeys, isObject } from '../json.ts'
import { isRepository } from './hosts.ts'

export type Action = 'pull' | 'push'

/** A token's scope for one repository (distribution, "Token Scope Documentation"): `repository:NAME:pull,push`. */
export function formatScope(repository: string, actions: readonly Action[]): string {
  return `repository:${repository}:${actions.join(',')}`
}

/**
 * The actions that a registry token grants, by repository, from its `access` claim.
 * @returns undefined if any part of the claim is not understood: it could grant more than what is read here
 */
export function parseGrants(token: string): ReadonlyMap<string, ReadonlySet<string>> | undefined {
  const access = parseClaims(token)?.['access']
  const claims = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()
  if (!Array.isArray(access) || !access.every(isGrant) || hasDuplicateKeys(claims)) return undefined
  const grants = new Map<string, Set<string>>()
  for (const { name, actions } of access) grants.set(name, new Set([...(grants.get(name) ?? []), ...actions]))
  return grants
}

const GRANT_KEYS = ['type', 'class', 'name', 'actions']

/** An entry of the claim as the distribution's token specification has it, for one repository. */
function isGrant(entry: unknown): entry is { readonly name: string; readonly actions: readonly string[] } {
  if (!isObject(entry) || !Object.keys(entry).every((key) => GRANT_KEYS.includes(key))) return false
  const { type, name, actions } = entry
  return (
    type === 'repository' &&
    typeof name === 'string' &&
    isRepository(name) &&
    Array.isArray(actions) &&
    actions.every((action) => typeof action === 'string')
  )
}
