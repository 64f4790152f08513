import type { Context } from '../../context.ts'
import { type Credential, USERNAMES } from '../../credential/credential.ts'
import { parseIssuedAt } from '../../credential/jwt.ts'
import { formatTime } from '../../errors/quote.ts'
import { RefusedError, UserError } from '../../errors/user-error.ts'
import { accountOf } from '../../iam/client.ts'
import { createApiKey, deleteApiKey, findApiKeys } from '../../iam/api-keys.ts'
import { exchange } from '../../registry/client.ts'
import {
  HOUR_MS,
  type Minted,
  type MintOrder,
  type MintRecord,
  type MintMethod,
  NOT_REVOCABLE_LATER,
  ONLY_ITS_CLIENT,
  REGISTRY_ONLY,
  type RevokeOrder
} from '../method.ts'

const MINUTE_MS = 60_000

/** A temporary API key of a service ID, which post deletes. One for all hosts. */
export const apiKey: MintMethod = {
  unsupported: {
    'access-token': NOT_REVOCABLE_LATER,
    'refresh-token': ONLY_ITS_CLIENT,
    'registry-token': REGISTRY_ONLY
  },
  maxLifetimeMs: 24 * HOUR_MS,
  defaultLifetimeMs: HOUR_MS,
  policy:
    'Look at the access policies of the service ID in service-id: Reader on Container Registry, ' +
    'and no Writer or Manager.',
  mint,
  revoker: {
    list: async (order, context) => {
      const token = await order.accessToken()
      const of = { name: order.name, ...scopeOf(order, token) }
      return (await findApiKeys(order.iamUrl, token, of, context)).map((id) => ({ id }))
    },
    remove: async (order, { id }, context) => {
      await deleteApiKey(order.iamUrl, await order.accessToken(), id, context)
    }
  }
}

async function mint(order: MintOrder, record: MintRecord, context: Context): Promise<Minted[]> {
  const { token } = await order.accessToken()
  // IAM's own clock: this machine's may be wrong.
  const issuedAt = parseIssuedAt(token) ?? new Date(context.now())
  const expiresAt = roundUpToMinute(issuedAt.getTime() + (order.lifetimeMs ?? HOUR_MS))
  const { serviceId, account } = scopeOf(order, token)
  const { id, secret } = await createApiKey(
    order.iamUrl,
    token,
    { name: order.name, serviceId, account, expiresAt: formatMinute(expiresAt) },
    record.watch,
    context
  )
  record.made({ id }, expiresAt)
  context.info(`Minted the API key ${id} of ${serviceId}, which ends ${formatTime(expiresAt)}.`)
  const credential = { username: USERNAMES['api-key'], secret }
  await Promise.all(order.hosts.map(async (host) => waitUntilAccepted(host, credential, context)))
  return order.hosts.map((host) => ({ host, ...credential, issuedAt, expiresAt, id }))
}

const PROPAGATION_MS = 10_000
const POLL_MS = 1_000

/** A key that is seconds old may not be known everywhere yet (facts/ibm-cloud.md section 3.5, "propagation"). */
async function waitUntilAccepted(host: string, credential: Credential, context: Context): Promise<void> {
  const until = context.now() + PROPAGATION_MS
  for (;;) {
    try {
      await exchange(host, credential, [], context)
      return
    } catch (error) {
      if (!(error instanceof RefusedError) || context.now() + POLL_MS > until) throw error
    }
    context.info(`${host} does not know the new API key yet. Asking again in ${POLL_MS / 1000} s.`)
    await context.sleep(POLL_MS)
  }
}

function scopeOf(
  { serviceId }: MintOrder | RevokeOrder,
  accessToken: string
): { serviceId: string; account: string } {
  const account = accountOf(accessToken)
  if (serviceId !== undefined && account !== undefined) return { serviceId, account }
  throw new UserError(
    "IAM's access token does not say which account it is of.",
    'Is iam-url the address of IBM Cloud IAM?'
  )
}

/** `expires_at` has minutes and no more (facts/ibm-cloud.md section 3.5). */
function roundUpToMinute(milliseconds: number): Date {
  return new Date(Math.ceil(milliseconds / MINUTE_MS) * MINUTE_MS)
}

/** yyyy-MM-ddTHH:mm+0000 */
function formatMinute(time: Date): string {
  return `${time.toISOString().slice(0, 16)}+0000`
}
