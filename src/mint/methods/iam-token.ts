import type { Context } from '../../context.ts'
import { USERNAMES } from '../../credential/credential.ts'
import { parseIssuedAt } from '../../credential/jwt.ts'
import { assumeProfile } from '../../iam/client.ts'
import { HOUR_MS, type MintOrder, type MintMethod, ONLY_ITS_CLIENT, REGISTRY_ONLY } from '../method.ts'

/** An IAM access token: of the job's identity, or of a trusted profile that it may assume. One for all hosts. */
export const iamToken: MintMethod = {
  unsupported: { 'refresh-token': ONLY_ITS_CLIENT, 'registry-token': REGISTRY_ONLY },
  // facts/ibm-cloud.md section 3.1: 60 minutes at most; IAM says how long in every reply.
  maxLifetimeMs: HOUR_MS,
  policy:
    "Look at the access policies of the key's identity, or of the trusted profile: Reader on Container Registry, " +
    'and no Writer or Manager.',
  mint: async (order, _record, context) => {
    const { token, expiresAt } = await fetchToken(order, context)
    const issuedAt = parseIssuedAt(token) ?? new Date(context.now())
    const minted = {
      username: USERNAMES['access-token'],
      secret: token,
      issuedAt,
      expiresAt: expiresAt ?? new Date(issuedAt.getTime() + HOUR_MS)
    }
    return order.hosts.map((host) => ({ host, ...minted }))
  }
}

async function fetchToken(order: MintOrder, context: Context): ReturnType<MintOrder['accessToken']> {
  const own = await order.accessToken()
  return order.profile === undefined
    ? own
    : await assumeProfile(order.iamUrl, own.token, order.profile, context)
}
