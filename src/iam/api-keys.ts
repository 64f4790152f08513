import type { Context } from '../context.ts'
import { explainReply } from '../errors/known-messages.ts'
import { isPlainId, quoteId } from '../errors/redact.ts'
import { type RefusedError, UserError } from '../errors/user-error.ts'
import { MAX_LIST_BYTES, type Reply, type Request } from '../http/client.ts'
import { RetryableError } from '../http/fault.ts'
import { fetchReply, parseBody } from '../http/retry.ts'
import { isObject, stringAt } from '../json.ts'

/** A temporary API key of a service ID that is to be created. */
interface ApiKeyOrder {
  readonly name: string
  /** IAM's ID: `iam-ServiceId-…` */
  readonly serviceId: string
  readonly account: string
  /** yyyy-MM-ddTHH:mm+0000 */
  readonly expiresAt: string
}

/**
 * Creates an API key (docs/references.md, "API keys"). Its value is masked; IAM does not store it.
 * @param watch called around each attempt: one that gets no response can create a key all the same
 * @throws RefusedError if the identity is not allowed to; UserError if IAM can't be reached
 */
export async function createApiKey(
  iamUrl: string,
  accessToken: string,
  order: ApiKeyOrder,
  watch: NonNullable<Request['watch']>,
  context: Context
): Promise<{ readonly id: string; readonly secret: string }> {
  const { method, url, headers } = request('POST', iamUrl, '', accessToken)
  const body = JSON.stringify({
    name: order.name,
    iam_id: order.serviceId,
    account_id: order.account,
    description: 'Temporary key of a CI job, made by icr-login',
    store_value: false,
    expires_at: order.expiresAt,
    action_when_leaked: 'delete'
  })
  return await fetchReply(
    { method, url, headers: { ...headers, 'content-type': 'application/json' }, body, watch },
    (reply) => {
      if (![200, 201].includes(reply.status)) throw refused('make an API key', order, reply, accessToken)
      const key = parseBody(reply)
      const secret = stringAt(key, 'apikey')
      if (secret !== undefined) context.mask(secret)
      const id = parseId(key)
      if (secret === undefined || id === undefined || !isPlainId(id))
        throw new RetryableError(`it answered ${reply.status} without an API key`)
      return { id, secret }
    },
    context
  )
}

/** An ID goes into addresses, so it must look like one. */
function parseId(key: Record<string, unknown>): string | undefined {
  const id = stringAt(key, 'id')
  return id !== undefined && /^ApiKey-[\w-]{1,60}$/.test(id) ? id : undefined
}

const PAGE_SIZE = 100
/** 10,000 keys: a longer list is a loop. */
const MAX_PAGES = 100

/**
 * The IDs of all API keys of a service ID that have a name, on all pages of its list.
 * @throws as createApiKey
 */
export async function findApiKeys(
  iamUrl: string,
  accessToken: string,
  of: Omit<ApiKeyOrder, 'expiresAt'>,
  context: Context
): Promise<string[]> {
  const ids: string[] = []
  const query = { account_id: of.account, iam_id: of.serviceId, pagesize: String(PAGE_SIZE) }
  let page = {}
  for (let count = 0; count < MAX_PAGES; count++) {
    const path = `?${new URLSearchParams({ ...query, ...page }).toString()}`
    const next = await fetchReply(
      { ...request('GET', iamUrl, path, accessToken), maxBytes: MAX_LIST_BYTES },
      (reply) => {
        if (reply.status !== 200) throw refused('list the API keys', of, reply, accessToken)
        const body = parseBody(reply)
        ids.push(...parseKeys(body, of.name))
        return parseNextPage(body)
      },
      context
    )
    if (next === undefined) return ids
    page = { pagetoken: next }
  }
  throw new UserError('The list of API keys does not end.', 'Is iam-url the address of IBM Cloud IAM?')
}

function parseKeys({ apikeys }: Record<string, unknown>, name: string): string[] {
  // Read as an empty list, it would mean that nothing is left to revoke.
  if (!Array.isArray(apikeys)) throw new RetryableError('it answered 200 without a list of API keys')
  const named = apikeys.filter(isObject).filter((key) => key['name'] === name)
  return named.map((key) => {
    const id = parseId(key)
    // Ignored, it would be left unrevoked without a warning.
    if (id === undefined) throw new RetryableError('it answered 200 with a key of this job that has no ID')
    return id
  })
}

/** Only the page token of the next page's address counts: no response chooses where a token is sent. */
function parseNextPage(body: Record<string, unknown>): string | undefined {
  const next = stringAt(body, 'next')
  const base = 'https://iam.cloud.ibm.com'
  if (next === undefined || !URL.canParse(next, base)) return undefined
  return new URL(next, base).searchParams.get('pagetoken') ?? undefined
}

/** Whether IAM has an API key of that ID. @throws as createApiKey */
export async function hasApiKey(
  iamUrl: string,
  accessToken: string,
  id: string,
  context: Context
): Promise<boolean> {
  return await fetchReply(
    request('GET', iamUrl, `/${encodeURIComponent(id)}`, accessToken),
    (reply) => {
      if (reply.status === 404) return false
      if (reply.status !== 200) throw explain('refused to show', id, reply, accessToken)
      parseBody(reply)
      return true
    },
    context
  )
}

/** Deletes an API key; one that IAM does not find is not an error. @throws as createApiKey */
export async function deleteApiKey(
  iamUrl: string,
  accessToken: string,
  id: string,
  context: Context
): Promise<void> {
  await fetchReply(
    request('DELETE', iamUrl, `/${encodeURIComponent(id)}`, accessToken),
    (reply) => {
      if (reply.status === 404 || (reply.status >= 200 && reply.status < 300)) return
      if (reply.status !== 409 && reply.status !== 423)
        throw explain('refused to delete', id, reply, accessToken)
      throw explain('did not delete', id, reply, accessToken, {
        cause: 'it is locked, or another request is changing it.',
        hint: 'Unlock it (ibmcloud iam service-api-key-unlock), then delete it.'
      })
    },
    context
  )
}

function request(method: Request['method'], iamUrl: string, path: string, accessToken: string): Request {
  return {
    method,
    url: new URL(`${iamUrl}/v1/apikeys${path}`),
    headers: { authorization: `Bearer ${accessToken}` }
  }
}

type Known = Parameters<typeof explainReply>[3]

function explain(what: string, id: string, reply: Reply, secret: string, known?: Known): RefusedError {
  return explainReply(`IAM ${what} the API key ${quoteId(id)} (${reply.status})`, reply, secret, known)
}

function refused(
  what: string,
  { serviceId }: Pick<ApiKeyOrder, 'serviceId'>,
  reply: Reply,
  secret: string
): RefusedError {
  if (reply.status !== 403)
    return explainReply(`IAM refused to ${what} of ${serviceId} (${reply.status})`, reply, secret)
  return explainReply(`The identity may not manage the API keys of ${serviceId} (403).`, reply, secret, {
    cause: '',
    hint: 'Give it the role Operator on that service ID (IAM Identity Service), and check that service-id is right.'
  })
}
