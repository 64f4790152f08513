import { USERNAMES } from '../../credential/credential.ts'
import { parseExpiry } from '../../credential/jwt.ts'
import { formatTime } from '../../errors/quote.ts'
import { accountOf } from '../../iam/client.ts'
import { findRegistryTokens, issueRegistryToken, removeRegistryToken } from '../../registry/tokens.ts'
import type { MintedId } from '../journal.ts'
import { HOUR_MS, type MintMethod, type RevokeJob, UNSUPPORTED_IF_REVOCABLE } from '../method.ts'

/** A registry token, as `ibmcloud cr token-add` issued it until 2019; post removes it. One for each host. */
export const registryToken: MintMethod = {
  unsupported: UNSUPPORTED_IF_REVOCABLE,
  maxLifetimeMs: 24 * HOUR_MS,
  policy: 'The registry made a read-write token of a read-only one; use another mint.',
  mint: async (job, journal, context) => {
    const caller = await callerOf(job)
    const order = { description: job.name, write: !job.readOnly, watch: journal.watch }
    return await Promise.all(
      job.hosts.map(async (host) => {
        const { id, token } = await issueRegistryToken(host, caller, order, context)
        const issuedAt = new Date(context.now())
        // docs/references.md, "Registry tokens": 24 h, unless the token says otherwise.
        const expiresAt = parseExpiry(token) ?? new Date(issuedAt.getTime() + 24 * HOUR_MS)
        journal.made({ id, host }, expiresAt)
        context.info(`${host}: minted the registry token ${id}, which ends ${formatTime(expiresAt)}.`)
        return { host, username: USERNAMES['registry-token'], secret: token, issuedAt, expiresAt, id }
      })
    )
  },
  revoker: {
    list: async (job, context) => {
      const caller = await callerOf(job)
      const lists = await Promise.allSettled(
        job.hosts.map(async (host): Promise<MintedId[]> => {
          return (await findRegistryTokens(host, caller, job.name, context)).map((id) => ({ id, host }))
        })
      )
      const found = lists.flatMap((list) => (list.status === 'fulfilled' ? list.value : []))
      // What was found is removed first; the next list fails again.
      const failed = lists.find((list) => list.status === 'rejected')
      if (failed !== undefined && found.length === 0) throw failed.reason
      return found
    },
    remove: async (job, { id, host }, context) => {
      const caller = await callerOf(job)
      for (const at of host === undefined ? job.hosts : [host])
        await removeRegistryToken(at, caller, id, context)
    }
  }
}

type Caller = Parameters<typeof issueRegistryToken>[1]

async function callerOf({ accessToken }: RevokeJob): Promise<Caller> {
  const { token } = await accessToken()
  return { accessToken: token, account: accountOf(token) }
}
