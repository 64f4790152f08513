import type { Context } from '../../context.ts'
import { USERNAMES } from '../../credential/credential.ts'
import { parseIssuedAt } from '../../credential/jwt.ts'
import { formatTime } from '../../errors/quote.ts'
import { createApiKey, deleteApiKey, findApiKeys, hasApiKey } from '../../iam/api-keys.ts'
import { accountOf } from '../../iam/client.ts'
import { exchange, retryWhileUnknown } from '../../registry/client.ts'
import type { Journal } from '../journal.ts'
import { HOUR_MS, type Minted, type MintJob, type MintMethod, UNSUPPORTED_IF_REVOCABLE } from '../method.ts'

/** A temporary API key of a service ID, which post deletes. One for all hosts. */
export const apiKey: MintMethod = {
  unsupported: UNSUPPORTED_IF_REVOCABLE,
  maxLifetimeMs: 24 * HOUR_MS,
  defaultLifetimeMs: HOUR_MS,
  policy:
    'Look at the access policies of the service ID in service-id: Reader on Container Registry, ' +
    'and no Writer or Manager.',
  mint,
  revoker: {
    list: async ({ iamUrl, name, serviceId, accessToken }, context) => {
      const { token } = await accessToken()
      const of = { name, serviceId, account: accountOf(token) }
      return (await findApiKeys(iamUrl, token, of, context)).map((id) => ({ id }))
    },
    remove: async ({ iamUrl, accessToken }, { id }, context) => {
      await deleteApiKey(iamUrl, (await accessToken()).token, id, context)
    },
    exists: async ({ iamUrl, accessToken }, { id }, context) =>
      await hasApiKey(iamUrl, (await accessToken()).token, id, context)
  }
}

async function mint(job: MintJob, journal: Journal, context: Context): Promise<Minted[]> {
  const { name, hosts, iamUrl, serviceId } = job
  const { token } = await job.accessToken()
  // IAM's clock: this machine's may be wrong.
  const issuedAt = parseIssuedAt(token) ?? new Date(context.now())
  // `expires_at` has minutes, and no seconds (docs/references.md, "API keys"): rounded up.
  const minutes = Math.ceil((issuedAt.getTime() + (job.lifetimeMs ?? HOUR_MS)) / MINUTE_MS)
  const expiresAt = new Date(minutes * MINUTE_MS)
  const order = {
    name,
    serviceId,
    account: accountOf(token),
    expiresAt: `${expiresAt.toISOString().slice(0, 16)}+0000`
  }
  const { id, secret } = await createApiKey(iamUrl, token, order, journal.watch, context)
  journal.made({ id }, expiresAt)
  context.info(`Minted the API key ${id} of ${serviceId}, which ends ${formatTime(expiresAt)}.`)
  const credential = { username: USERNAMES['api-key'], secret }
  const waitUntilAccepted = async (all: readonly string[], until: number): Promise<void> => {
    const exchanges = all.map(async (host) =>
      retryWhileUnknown(host, until, async () => exchange(host, credential, [], context), context)
    )
    await Promise.all(exchanges)
  }
  await waitUntilAccepted(hosts, context.now() + PROPAGATION_MS)
  // Accepted once, a new key can still be refused by a part of the service that does not know it yet.
  const settlesAt = context.now() + PROPAGATION_MS
  const unverified = hosts.filter((host) => (job.repositories.get(host) ?? []).length === 0)
  await waitUntilAccepted(unverified, settlesAt)
  return hosts.map((host) => ({ host, ...credential, issuedAt, expiresAt, id, settlesAt }))
}

/** IBM documents no figure for new keys (docs/references.md, "API keys"). */
const PROPAGATION_MS = 10_000

const MINUTE_MS = 60_000
