import type { Context } from '../../context.ts'
import { USERNAMES } from '../../credential/credential.ts'
import { parseExpiry } from '../../credential/jwt.ts'
import { formatTime } from '../../errors/quote.ts'
import { UserError } from '../../errors/user-error.ts'
import { accountOf } from '../../iam/client.ts'
import { issueRegistryToken, findRegistryTokens, removeRegistryToken } from '../../registry/tokens.ts'
import {
  HOUR_MS,
  type Minted,
  type MintedId,
  type MintOrder,
  type MintRecord,
  type MintMethod,
  NOT_REVOCABLE_LATER,
  ONLY_ITS_CLIENT,
  REGISTRY_ONLY
} from '../method.ts'

/** A registry token, as `ibmcloud cr token-add` made it until 2019; post removes it. One for each host. */
export const registryToken: MintMethod = {
  unsupported: {
    'access-token': NOT_REVOCABLE_LATER,
    'refresh-token': ONLY_ITS_CLIENT,
    'registry-token': REGISTRY_ONLY
  },
  maxLifetimeMs: 24 * HOUR_MS,
  policy: 'The registry made a read-write token of a read-only one; use another mint.',
  mint: async (order, record, context) => {
    const { token } = await order.accessToken()
    return await Promise.all(
      order.hosts.map(async (host) => await mintFor(host, token, { order, record }, context))
    )
  },
  revoker: {
    list: async (order, context) => {
      const token = await order.accessToken()
      const lists = await Promise.allSettled(
        order.hosts.map(async (host) => {
          const found = await findRegistryTokens(host, caller(token), order.name, context)
          return found.map((id) => ({ id, host }))
        })
      )
      const found = lists.flatMap((list) => (list.status === 'fulfilled' ? list.value : []))
      // What was found is removed first; the next list says again what is wrong.
      const failed = lists.find((list) => list.status === 'rejected')
      if (failed !== undefined && found.length === 0) throw failed.reason
      return found
    },
    remove: async (order, { id, host }: MintedId, context) => {
      const token = await order.accessToken()
      for (const at of host === undefined ? order.hosts : [host]) {
        await removeRegistryToken(at, caller(token), { id, description: order.name }, context)
      }
    }
  }
}

async function mintFor(
  host: string,
  accessToken: string,
  { order, record }: { readonly order: MintOrder; readonly record: MintRecord },
  context: Context
): Promise<Minted> {
  const wanted = { description: order.name, write: !order.readOnly, watch: record.watch }
  const { id, token } = await issueRegistryToken(host, caller(accessToken), wanted, context)
  const issuedAt = new Date(context.now())
  // facts/ibm-cloud.md section 2.2: 24 h, unless the token says otherwise.
  const expiresAt = parseExpiry(token) ?? new Date(issuedAt.getTime() + 24 * HOUR_MS)
  record.made({ id, host }, expiresAt)
  context.info(`${host}: minted the registry token ${id}, which ends ${formatTime(expiresAt)}.`)
  return { host, username: USERNAMES['registry-token'], secret: token, issuedAt, expiresAt, id }
}

function caller(accessToken: string): { readonly accessToken: string; readonly account: string } {
  const account = accountOf(accessToken)
  if (account !== undefined) return { accessToken, account }
  throw new UserError(
    "IAM's access token does not say which account it is of.",
    'Is iam-url the address of IBM Cloud IAM?'
  )
}
