import { exchange } from '../../registry/client.ts'
import { type Action, formatScope } from '../../registry/scope.ts'
import { HOUR_MS, type MintMethod } from '../method.ts'

// Only clients that were tried (docs/references.md, "Clients").
const CLIENTS =
  'A repository token works with docker, docker compose, buildx, crane, ko, cosign, oras, syft, and Testcontainers ' +
  'for Java and Go. It does not work with podman, skopeo, buildah, nerdctl, Kubernetes, Jib, Testcontainers for Node, ' +
  "the Docker SDK for Python, regctl or Rust's oci-client: for those use mint: iam-token."

/** The registry's own bearer token, one for each host, for that host's repositories and nothing else. */
export const repositoryToken: MintMethod = {
  unsupported: {},
  maxLifetimeMs: HOUR_MS,
  policy: 'The registry granted more than was asked for; use another mint.',
  mint: async ({ repositories, readOnly, credential }, _journal, context) => {
    context.info(CLIENTS)
    const actions: Action[] = readOnly ? ['pull'] : ['pull', 'push']
    return await Promise.all(
      [...repositories].map(async ([host, names]) => {
        const scopes = names.map((name) => formatScope(name, actions))
        const { token, issuedAt, expiresAt } = await exchange(host, await credential(), scopes, context)
        return { host, username: undefined, secret: token, issuedAt, expiresAt }
      })
    )
  }
}
