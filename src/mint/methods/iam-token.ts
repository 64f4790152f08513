import { USERNAMES } from '../../credential/credential.ts'
import { parseIssuedAt } from '../../credential/jwt.ts'
import { assumeProfile } from '../../iam/client.ts'
import { HOUR_MS, type MintMethod, UNSUPPORTED_IF_REVOCABLE } from '../method.ts'

/** An IAM access token of the job's identity, or of a trusted profile that it assumes. One for all hosts. */
export const iamToken: MintMethod = {
  unsupported: {
    'refresh-token': UNSUPPORTED_IF_REVOCABLE['refresh-token'],
    'registry-token': UNSUPPORTED_IF_REVOCABLE['registry-token']
  },
  // docs/references.md, "IAM tokens": 60 minutes at most.
  maxLifetimeMs: HOUR_MS,
  policy:
    "Look at the access policies of the key's identity, or of the trusted profile: Reader on Container Registry, " +
    'and no Writer or Manager.',
  mint: async ({ hosts, iamUrl, profile, accessToken }, _journal, context) => {
    const own = await accessToken()
    const { token, expiresAt } =
      profile === undefined ? own : await assumeProfile(iamUrl, own.token, profile, context)
    const issuedAt = parseIssuedAt(token) ?? new Date(context.now())
    const minted = {
      username: USERNAMES['access-token'],
      secret: token,
      issuedAt,
      expiresAt: expiresAt ?? new Date(issuedAt.getTime() + HOUR_MS)
    }
    return hosts.map((host) => ({ host, ...minted }))
  }
}
