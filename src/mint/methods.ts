import type { MintMethod } from './method.ts'
import { apiKey } from './methods/api-key.ts'
import { iamToken } from './methods/iam-token.ts'
import { registryToken } from './methods/registry-token.ts'
import { repositoryToken } from './methods/repository-token.ts'

/** Every mint method, by its name in the input `mint`. A new method is one file and one row. */
export const METHODS = {
  'repository-token': repositoryToken,
  'iam-token': iamToken,
  'api-key': apiKey,
  'registry-token': registryToken
} satisfies Record<string, MintMethod>

export type MethodName = keyof typeof METHODS

export function isMethodName(name: string): name is MethodName {
  return Object.hasOwn(METHODS, name)
}
