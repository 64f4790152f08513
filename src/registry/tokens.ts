import type { Context } from '../context.ts'
import { parseClaims } from '../credential/jwt.ts'
import { explainRefusal, formatResponse } from '../errors/known-messages.ts'
import { findRequestId, isPlainId, quoteId } from '../errors/redact.ts'
import { RefusedError } from '../errors/user-error.ts'
import { MAX_LIST_BYTES, type Reply, type Request } from '../http/client.ts'
import { RetryableError } from '../http/fault.ts'
import { fetchReply, parseBody } from '../http/retry.ts'
import { isObject, stringAt } from '../json.ts'
import { parseErrors } from './error-body.ts'
import { formatOrigin } from './hosts.ts'

/** Whose tokens: the API requires the account beside the IAM token (docs/references.md, "Registry tokens"). */
interface Caller {
  readonly accessToken: string
  readonly account: string
}

/**
 * Issues a registry token that is never permanent. It is masked.
 * @param wanted.write read-write; IBM's default is read-only
 * @param wanted.watch called around each attempt: one that gets no response can issue a token all the same
 * @returns the token, and its ID, which is the JWT's `jti`
 * @throws RefusedError if the registry issues none: IBM's has not since 1 July 2019
 * @throws UserError if it can't be reached
 */
export async function issueRegistryToken(
  host: string,
  caller: Caller,
  wanted: {
    readonly description: string
    readonly write: boolean
    readonly watch: NonNullable<Request['watch']>
  },
  context: Context
): Promise<{ readonly id: string; readonly token: string }> {
  // Query parameters, no body (docs/references.md, "Registry tokens").
  const query = { description: wanted.description, permanent: 'false', write: String(wanted.write) }
  return await fetchReply(
    { ...request('POST', host, '', caller, query), watch: wanted.watch },
    (reply) => {
      if (reply.status !== 200 && reply.status !== 201) throw explainIssue(host, reply, caller)
      const token = stringAt(parseBody(reply), 'token')
      if (token !== undefined) context.mask(token)
      const id = stringAt(parseClaims(token ?? ''), 'jti')
      if (token === undefined || id === undefined || !isPlainId(id)) {
        throw new RetryableError(`it answered ${reply.status} without a registry token`)
      }
      return { id, token }
    },
    context
  )
}

function explainIssue(host: string, reply: Reply, { accessToken }: Caller): RefusedError {
  const message = parseErrors(reply.body)
  const requestId = findRequestId(reply, accessToken)
  const discontinued = /discontinued/i.test(message) || [404, 405, 410].includes(reply.status)
  if (!discontinued)
    return explainRefusal(
      `${host} issued no registry token (${reply.status})`,
      message,
      accessToken,
      requestId
    )
  return new RefusedError(
    `${host} issues no registry tokens: IBM ended them on 1 July 2019.`,
    'Use mint: repository-token, mint: iam-token or mint: api-key instead.',
    formatResponse('', accessToken, requestId)
  )
}

/**
 * Finds the account's registry tokens with a description that were not removed.
 * @returns their IDs
 * @throws RefusedError if the registry refuses it; UserError if it can't be reached
 */
export async function findRegistryTokens(
  host: string,
  caller: Caller,
  description: string,
  context: Context
): Promise<string[]> {
  return await fetchReply(
    { ...request('GET', host, '', caller), maxBytes: MAX_LIST_BYTES },
    (reply) => {
      if (reply.status !== 200) throw explain(host, 'list', reply, caller)
      const { tokens } = parseBody(reply)
      // Read as an empty list, it would mean that nothing is left to revoke.
      if (!Array.isArray(tokens)) throw new RetryableError('it answered 200 without a list of tokens')
      return parseTokens(tokens, description)
    },
    context
  )
}

function parseTokens(tokens: readonly unknown[], description: string): string[] {
  const ours = tokens.filter(isObject).filter((token) => token['secondary_owner'] === description)
  return ours
    .filter((token) => token['revoked'] !== true)
    .map((token) => {
      const id = stringAt(token, '_id')
      // Ignored, it would be left unrevoked without a warning.
      if (id === undefined)
        throw new RetryableError('it answered 200 with a token of this job that has no ID')
      return id
    })
}

/**
 * Removes a registry token; one that is not found is not an error.
 * @throws as findRegistryTokens
 */
export async function removeRegistryToken(
  host: string,
  caller: Caller,
  id: string,
  context: Context
): Promise<void> {
  await fetchReply(
    request('DELETE', host, `/${encodeURIComponent(id)}`, caller),
    (reply) => {
      if (reply.status === 404 || (reply.status >= 200 && reply.status < 300)) return
      throw explain(host, `remove ${quoteId(id)}`, reply, caller)
    },
    context
  )
}

function explain(host: string, what: string, reply: Reply, { accessToken }: Caller): RefusedError {
  const message = parseErrors(reply.body)
  const requestId = findRequestId(reply, accessToken)
  if (reply.status === 409 || reply.status === 423) {
    return new RefusedError(
      `${host} did not ${what} (${reply.status}): it is locked, or another request is changing it.`,
      'Remove it in the IBM Cloud console.',
      formatResponse(message, accessToken, requestId)
    )
  }
  return explainRefusal(
    `${host} refused to ${what} (registry tokens, ${reply.status})`,
    message,
    accessToken,
    requestId
  )
}

function request(
  method: Request['method'],
  host: string,
  path: string,
  { accessToken, account }: Caller,
  query: Record<string, string> = {}
): Request {
  const url = new URL(`${formatOrigin(host)}/api/v1/tokens${path}`)
  url.search = new URLSearchParams(query).toString()
  return { method, url, headers: { authorization: `Bearer ${accessToken}`, account } }
}
