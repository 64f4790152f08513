import type { Context } from '../context.ts'
import { quoteId } from '../errors/redact.ts'
import { isPlainId } from '../errors/redact.ts'
import { UserError } from '../errors/user-error.ts'
import { Fault, fetchReply, LARGEST_LIST, parseBody, type Reply, type Request } from '../http/retry.ts'
import { explainReply } from './client.ts'
import { isObject, stringAt } from '../json.ts'

/** A temporary API key of a service ID that is to be made. */
export interface ApiKeyOrder {
  readonly name: string
  /** IAM's ID: `iam-ServiceId-…` */
  readonly serviceId: string
  readonly account: string
  /** yyyy-MM-ddTHH:mm+0000 */
  readonly expiresAt: string
}

/**
 * Makes an API key (facts/ibm-cloud.md section 3.5). Its value is masked; IAM does not keep it.
 * @param watch told around each try: a try that gets no answer may make a key all the same
 * @throws RefusedError where the identity may not make one; UserError where IAM can't be reached
 */
export async function createApiKey(
  iamUrl: string,
  accessToken: string,
  order: ApiKeyOrder,
  watch: NonNullable<Request['watch']>,
  context: Context
): Promise<{ readonly id: string; readonly secret: string }> {
  const body = {
    name: order.name,
    iam_id: order.serviceId,
    account_id: order.account,
    description: 'Temporary key of a CI job, made by icr-login',
    store_value: false,
    expires_at: order.expiresAt,
    action_when_leaked: 'delete'
  }
  const url = new URL(`${iamUrl}/v1/apikeys`)
  const headers = { ...bearer(accessToken), 'content-type': 'application/json' }
  return await fetchReply(
    { method: 'POST', url, headers, body: JSON.stringify(body), watch },
    (reply) => {
      if (reply.status !== 200 && reply.status !== 201)
        throw refused('to make an API key', order, reply, accessToken)
      return readApiKey(reply, context)
    },
    context
  )
}

function readApiKey(reply: Reply, context: Context): { id: string; secret: string } {
  const body = parseBody(reply)
  const secret = stringAt(body, 'apikey')
  if (secret !== undefined) context.mask(secret)
  const id = parseId(body)
  if (secret === undefined || id === undefined || !isPlainId(id))
    throw new Fault(`it answered ${reply.status} without an API key`)
  return { id, secret }
}

/** An ID goes into addresses, so it must look like one. */
function parseId(key: Record<string, unknown>): string | undefined {
  const id = stringAt(key, 'id')
  return id !== undefined && /^ApiKey-[\w-]{1,60}$/.test(id) ? id : undefined
}

const PAGE_SIZE = 100
/** 10,000 keys: a list that goes on beyond that goes in a circle. */
const MAX_PAGES = 100

/**
 * Finds the API keys of a service ID that carry a name, on all pages of its list.
 * @returns their IDs
 * @throws as createApiKey
 */
export async function findApiKeys(
  iamUrl: string,
  accessToken: string,
  of: Pick<ApiKeyOrder, 'name' | 'serviceId' | 'account'>,
  context: Context
): Promise<string[]> {
  const ids: string[] = []
  let page: string | undefined
  for (let count = 0; count < MAX_PAGES; count++) {
    const url = new URL(`${iamUrl}/v1/apikeys`)
    url.search = new URLSearchParams({
      account_id: of.account,
      iam_id: of.serviceId,
      pagesize: String(PAGE_SIZE),
      ...(page === undefined ? {} : { pagetoken: page })
    }).toString()
    const { found, next } = await fetchReply(
      { method: 'GET', url, headers: bearer(accessToken), maxBytes: LARGEST_LIST },
      (reply) => {
        if (reply.status !== 200) throw refused('to list the API keys', of, reply, accessToken)
        const body = parseBody(reply)
        // An answer that is no list would be taken for an empty one: nothing left to revoke.
        if (!Array.isArray(body['apikeys'])) throw new Fault('it answered 200 without a list of API keys')
        return { found: parseKeys(body['apikeys'], of.name), next: parseNextPage(body) }
      },
      context
    )
    ids.push(...found)
    page = next
    if (page === undefined) return ids
  }
  throw new UserError('The list of API keys does not end.', 'Is iam-url the address of IBM Cloud IAM?')
}

function parseKeys(keys: readonly unknown[], name: string): string[] {
  const named = keys.filter(isObject).filter((key) => key['name'] === name)
  return named.map((key) => {
    const id = parseId(key)
    // Passed over, it would stay, and nobody would know.
    if (id === undefined) throw new Fault('it answered 200 with a key of this job that has no ID')
    return id
  })
}

/** Of the address of the next page only the page counts: no answer chooses where a token is sent. */
function parseNextPage(body: Record<string, unknown>): string | undefined {
  const next = stringAt(body, 'next')
  return next === undefined || !URL.canParse(next, 'https://iam.cloud.ibm.com')
    ? undefined
    : (new URL(next, 'https://iam.cloud.ibm.com').searchParams.get('pagetoken') ?? undefined)
}

/**
 * Deletes an API key; one that is gone already is no error.
 * @throws as createApiKey
 */
export async function deleteApiKey(
  iamUrl: string,
  accessToken: string,
  id: string,
  context: Context
): Promise<void> {
  await fetchReply(
    {
      method: 'DELETE',
      url: new URL(`${iamUrl}/v1/apikeys/${encodeURIComponent(id)}`),
      headers: bearer(accessToken)
    },
    (reply) => {
      if (reply.status === 404 || (reply.status >= 200 && reply.status < 300)) return
      throw explainReply(`IAM refused to delete the API key ${quoteId(id)}`, reply, accessToken)
    },
    context
  )
}

function bearer(accessToken: string): Record<string, string> {
  return { authorization: `Bearer ${accessToken}` }
}

function refused(
  what: string,
  { serviceId }: { readonly serviceId: string },
  reply: Reply,
  secret: string
): Error {
  if (reply.status !== 403) return explainReply(`IAM refused ${what} of ${serviceId}`, reply, secret)
  return new UserError(
    `The identity may not manage the API keys of ${serviceId} (403).`,
    'Give it the role Operator on that service ID (IAM Identity Service), and check that service-id is right.'
  )
}
