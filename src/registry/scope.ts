import { parseClaims } from '../credential/jwt.ts'
import { isObject } from '../json.ts'

export type Action = 'pull' | 'push'

/** A token's scope for one repository (distribution, "Token Scope Documentation"): `repository:NAME:pull,push`. */
export function formatScope(repository: string, actions: readonly Action[]): string {
  return `repository:${repository}:${actions.join(',')}`
}

/**
 * What a registry's token grants, by repository, as its `access` claim says it.
 * @returns undefined where the token can't be read
 */
export function parseGrants(token: string): ReadonlyMap<string, ReadonlySet<string>> | undefined {
  const access = parseClaims(token)?.['access']
  if (!Array.isArray(access)) return undefined
  const grants = new Map<string, Set<string>>()
  for (const { type, name, actions } of access.filter(isObject)) {
    if (type !== 'repository' || typeof name !== 'string' || !Array.isArray(actions)) continue
    grants.set(name, new Set([...(grants.get(name) ?? []), ...actions.map(String)]))
  }
  return grants
}
