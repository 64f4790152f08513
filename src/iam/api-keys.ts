import type { Context } from '../context.ts'
import { formatResponse } from '../errors/known-messages.ts'
import { findRequestId, isPlainId, quoteId } from '../errors/redact.ts'
import { RefusedError, UserError } from '../errors/user-error.ts'
import { MAX_LIST_BYTES, type Reply, type Request } from '../http/client.ts'
import { RetryableError } from '../http/fault.ts'
import { fetchReply, parseBody } from '../http/retry.ts'
import { isObject, stringAt } from '../json.ts'
import { explainReply } from './client.ts'

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
  const body = JSON.stringify({
    name: order.name,
    iam_id: order.serviceId,
    account_id: order.account,
    description: 'Temporary key of a CI job, made by icr-login',
    store_value: false,
    expires_at: order.expiresAt,
    action_when_leaked: 'delete'
  })
  const url = new URL(`${iamUrl}/v1/apikeys`)
  const headers = { ...bearer(accessToken), 'content-type': 'application/json' }
  return await fetchReply(
    { method: 'POST', url, headers, body, watch },
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
    throw new RetryableError(`it answered ${reply.status} without an API key`)
  return { id, secret }
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
 * Finds the API keys of a service ID that have a name, on all pages of its list.
 * @returns their IDs
 * @throws as createApiKey
 */
export async function findApiKeys(
  iamUrl: string,
  accessToken: string,
  of: Omit<ApiKeyOrder, 'expiresAt'>,
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
      { method: 'GET', url, headers: bearer(accessToken), maxBytes: MAX_LIST_BYTES },
      (reply) => {
        if (reply.status !== 200) throw refused('to list the API keys', of, reply, accessToken)
        const body = parseBody(reply)
        // Read as an empty list, it would mean that nothing is left to revoke.
        if (!Array.isArray(body['apikeys']))
          throw new RetryableError('it answered 200 without a list of API keys')
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
    // Ignored, it would be left unrevoked without a warning.
    if (id === undefined) throw new RetryableError('it answered 200 with a key of this job that has no ID')
    return id
  })
}

/** Only the page token of the next page's address counts: no response chooses where a token is sent. */
function parseNextPage(body: Record<string, unknown>): string | undefined {
  const next = stringAt(body, 'next')
  return next === undefined || !URL.canParse(next, 'https://iam.cloud.ibm.com')
    ? undefined
    : (new URL(next, 'https://iam.cloud.ibm.com').searchParams.get('pagetoken') ?? undefined)
}

/**
 * Whether IAM has an API key of that ID.
 * @throws as createApiKey
 */
export async function hasApiKey(
  iamUrl: string,
  accessToken: string,
  id: string,
  context: Context
): Promise<boolean> {
  return await fetchReply(
    { method: 'GET', url: keyUrl(iamUrl, id), headers: bearer(accessToken) },
    (reply) => {
      if (reply.status === 404) return false
      if (reply.status !== 200)
        throw explainReply(`IAM refused to show the API key ${quoteId(id)}`, reply, accessToken)
      parseBody(reply)
      return true
    },
    context
  )
}

/**
 * Deletes an API key; one that IAM does not find is not an error.
 * @throws as createApiKey
 */
export async function deleteApiKey(
  iamUrl: string,
  accessToken: string,
  id: string,
  context: Context
): Promise<void> {
  await fetchReply(
    { method: 'DELETE', url: keyUrl(iamUrl, id), headers: bearer(accessToken) },
    (reply) => {
      if (reply.status === 404 || (reply.status >= 200 && reply.status < 300)) return
      if (reply.status === 409 || reply.status === 423) throw locked(id, reply, accessToken)
      throw explainReply(`IAM refused to delete the API key ${quoteId(id)}`, reply, accessToken)
    },
    context
  )
}

function keyUrl(iamUrl: string, id: string): URL {
  return new URL(`${iamUrl}/v1/apikeys/${encodeURIComponent(id)}`)
}

function bearer(accessToken: string): Record<string, string> {
  return { authorization: `Bearer ${accessToken}` }
}

function locked(id: string, reply: Reply, secret: string): RefusedError {
  return new RefusedError(
    `IAM did not delete the API key ${quoteId(id)} (${reply.status}): it is locked, or another request is changing it.`,
    'Unlock it (ibmcloud iam service-api-key-unlock), then delete it.',
    formatResponse('', secret, findRequestId(reply, secret))
  )
}

function refused(
  what: string,
  { serviceId }: { readonly serviceId: string },
  reply: Reply,
  secret: string
): RefusedError {
  if (reply.status !== 403) return explainReply(`IAM refused ${what} of ${serviceId}`, reply, secret)
  return new RefusedError(
    `The identity may not manage the API keys of ${serviceId} (403).`,
    'Give it the role Operator on that service ID (IAM Identity Service), and check that service-id is right.',
    formatResponse('', secret, findRequestId(reply, secret))
  )
}
