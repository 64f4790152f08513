import type { Context } from '../../context.ts'
import { exchange } from '../../registry/client.ts'
import { type Action, formatScope } from '../../registry/scope.ts'
import { HOUR_MS, type Minted, type MintOrder, type MintMethod } from '../method.ts'

const PULL: readonly Action[] = ['pull']
const PULL_AND_PUSH: readonly Action[] = ['pull', 'push']

// facts/clients-and-runner.md, "Who honours `registrytoken`".
const CLIENTS =
  'A repository token serves docker, buildx, crane, ko, cosign, kaniko and oras. ' +
  'podman, skopeo, buildah, nerdctl and Kubernetes do not read it: for those use mint: iam-token.'

/** The registry's own bearer token, one for each host, good for that host's repositories and nothing else. */
export const repositoryToken: MintMethod = {
  unsupported: {},
  maxLifetimeMs: HOUR_MS,
  policy: 'The registry granted more than was asked for; use another mint.',
  mint: async (order, _record, context) => {
    context.info(CLIENTS)
    const actions = order.readOnly ? PULL : PULL_AND_PUSH
    return await Promise.all(
      [...order.repositories].map(async ([host, repositories]) => {
        const scopes = repositories.map((repository) => formatScope(repository, actions))
        return await mintFor(host, scopes, order, context)
      })
    )
  }
}

async function mintFor(
  host: string,
  scopes: readonly string[],
  order: MintOrder,
  context: Context
): Promise<Minted> {
  const { token, issuedAt, expiresAt } = await exchange(host, await order.credential(), scopes, context)
  return { host, username: undefined, secret: token, issuedAt, expiresAt }
}
