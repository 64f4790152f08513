import { apiKey } from './methods/api-key.ts'
import { iamToken } from './methods/iam-token.ts'
import { registryToken } from './methods/registry-token.ts'
import { repositoryToken } from './methods/repository-token.ts'
import type { MintWay } from './method.ts'

/** Every way to mint, by the name that the input `mint` has for it. A new way is one file and one row. */
export const WAYS = {
  'repository-token': repositoryToken,
  'iam-token': iamToken,
  'api-key': apiKey,
  'registry-token': registryToken
} satisfies Record<string, MintWay>

export type WayName = keyof typeof WAYS

/** The way of that name; undefined where there is none. */
export function findWay(name: string): MintWay | undefined {
  return isWayName(name) ? WAYS[name] : undefined
}

export function isWayName(name: string): name is WayName {
  return Object.hasOwn(WAYS, name)
}
