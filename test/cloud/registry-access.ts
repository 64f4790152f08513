// What a caller may do with which repository (IAM policies, roles and namespaces), and with which words it is denied:
// docs/references.md, "Registry authentication".
import type { Namespace, Role } from './data.ts'
import type { World } from './world.ts'
import type { RegistryMessage } from './registry-errors.ts'

/** Who is logged in: an identity of IAM's, the holder of a registry token, or nobody. */
export type Caller =
  | { kind: 'identity'; iamId: string; accountId: string }
  | { kind: 'registry-token'; id: string; accountId: string; readOnly: boolean }
  | { kind: 'anonymous' }

export interface Access {
  type: string
  name: string
  actions: string[]
}

const ACTIONS: Record<Role, string[]> = {
  Reader: ['pull'],
  Writer: ['pull', 'push', 'delete'],
  Manager: ['pull', 'push', 'delete', '*']
}

/** `repository:NAMESPACE/REPOSITORY:pull,push`, several in one parameter or in several. */
export function parseScopes(parameters: string[]): Access[] {
  const scopes = parameters.flatMap((parameter) => parameter.split(' ')).filter((scope) => scope !== '')
  return scopes.map((scope) => {
    const [, type = '', name = '', actions = ''] = /^([^:]+):(.+):([^:]*)$/.exec(scope) ?? []
    return { type, name, actions: actions.split(',') }
  })
}

/** As much of what is asked for as the caller may have. */
export function grant(world: World, region: string, caller: Caller, asked: Access): Access {
  const may = asked.type === 'repository' ? allowedActions(world, region, caller, asked.name) : []
  return { ...asked, actions: asked.actions.filter((action) => may.includes(action)) }
}

export function allowedActions(world: World, region: string, caller: Caller, repository: string): string[] {
  const namespace = namespaceOf(world, region, repository)
  const open = isPublic(world, region, repository) ? ['pull'] : []
  if (namespace === undefined || caller.kind === 'anonymous' || namespace.accountId !== caller.accountId)
    return open
  // Section 2.2: a registry token is for all namespaces of its account, and no policy applies.
  if (caller.kind === 'registry-token') return caller.readOnly ? ['pull'] : ['pull', 'push']
  if (world.account(namespace.accountId)?.contextRestricted === true) return open
  const roles = rolesOf(world, region, caller.iamId, namespace)
  return [...open, ...roles.flatMap((role) => ACTIONS[role])]
}

/** The words for it when something is missing. */
export function denialOf(world: World, region: string, caller: Caller, repository: string): RegistryMessage {
  const namespace = namespaceOf(world, region, repository)
  const own = caller.kind !== 'anonymous' && namespace?.accountId === caller.accountId
  return own ? 'insufficientScope' : 'otherResource'
}

/** True if the identity has policies, but none that reaches this region: it belongs to another one. */
export function livesElsewhere(world: World, region: string, iamId: string): boolean {
  const policies = world.policies.filter((policy) => policy.iamId === iamId)
  return policies.length > 0 && !policies.some((policy) => (policy.region ?? region) === region)
}

export function namespaceOf(world: World, region: string, repository: string): Namespace | undefined {
  const name = repository.split('/')[0]
  return world.namespaces.find((namespace) => namespace.region === region && namespace.name === name)
}

function isPublic(world: World, region: string, repository: string): boolean {
  return world.images.some(
    (image) => image.public && image.region === region && image.repository === repository
  )
}

function rolesOf(world: World, region: string, iamId: string, namespace: Namespace): Role[] {
  const policies = world.policies.filter(
    (policy) =>
      policy.iamId === iamId &&
      policy.accountId === namespace.accountId &&
      (policy.region ?? region) === region &&
      (policy.namespace ?? namespace.name) === namespace.name
  )
  return policies.map(({ role }) => role)
}
