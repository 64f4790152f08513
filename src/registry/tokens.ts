import type { Context } from '../context.ts'
import { parseClaims } from '../credential/jwt.ts'
import { explainReply, parseErrors } from '../errors/known-messages.ts'
import { isPlainId, quoteId } from '../errors/redact.ts'
import type { RefusedError } from '../errors/user-error.ts'
import { MAX_LIST_BYTES, type Reply, type Request } from '../http/client.ts'
import { RetryableError } from '../http/fault.ts'
import { fetchReply, parseBody } from '../http/retry.ts'
import { isObject, stringAt } from '../json.ts'
import { formatOrigin } from './hosts.ts'

/** Whose tokens: the API requires the account beside the IAM token (docs/references.md, "Registry tokens"). */
interface Caller {
  readonly accessToken: string
  readonly account: string
}

interface TokenOrder {
  readonly description: string
  /** Read-write; IBM's default is read-only. */
  readonly write: boolean
  /** Called around each attempt: one that gets no response can issue a token all the same. */
  readonly watch: NonNullable<Request['watch']>
}

/**
 * Issues a registry token that is never permanent. It is masked; its ID is the JWT's `jti`.
 * @throws RefusedError if the registry issues none, as IBM's since 1 July 2019; UserError if it can't be reached
 */
export async function issueRegistryToken(
  host: string,
  caller: Caller,
  { description, write, watch }: TokenOrder,
  context: Context
): Promise<{ readonly id: string; readonly token: string }> {
  // Query parameters, no body (docs/references.md, "Registry tokens").
  const query = new URLSearchParams({ description, permanent: 'false', write: String(write) })
  return await fetchReply(
    { ...request('POST', host, `?${query.toString()}`, caller), watch },
    (reply) => {
      if (![200, 201].includes(reply.status)) throw explainIssue(host, reply, caller)
      const token = stringAt(parseBody(reply), 'token')
      if (token !== undefined) context.mask(token)
      const id = stringAt(parseClaims(token ?? ''), 'jti')
      if (token === undefined || id === undefined || !isPlainId(id))
        throw new RetryableError(`it answered ${reply.status} without a registry token`)
      return { id, token }
    },
    context
  )
}

function explainIssue(host: string, reply: Reply, { accessToken }: Caller): RefusedError {
  if (![404, 405, 410].includes(reply.status) && !/discontinued/i.test(parseErrors(reply.body)))
    return explainReply(`${host} issued no registry token (${reply.status})`, reply, accessToken)
  const what = `${host} issues no registry tokens: IBM ended them on 1 July 2019.`
  return explainReply(what, reply, accessToken, {
    cause: '',
    hint: 'Use mint: repository-token, mint: iam-token or mint: api-key instead.'
  })
}

/**
 * The IDs of the account's registry tokens with a description that were not removed.
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
      const ours = tokens.filter(isObject).filter((token) => token['secondary_owner'] === description)
      return ours.filter((token) => token['revoked'] !== true).map(idOf)
    },
    context
  )
}

function idOf(token: Record<string, unknown>): string {
  const id = stringAt(token, '_id')
  // Ignored, it would be left unrevoked without a warning.
  if (id === undefined) throw new RetryableError('it answered 200 with a token of this job that has no ID')
  return id
}

/** Removes a registry token; one that is not found is not an error. @throws as findRegistryTokens */
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
  if (reply.status !== 409 && reply.status !== 423)
    return explainReply(`${host} refused to ${what} (registry tokens, ${reply.status})`, reply, accessToken)
  return explainReply(`${host} did not ${what} (${reply.status})`, reply, accessToken, {
    cause: 'it is locked, or another request is changing it.',
    hint: 'Remove it in the IBM Cloud console.'
  })
}

function request(
  method: Request['method'],
  host: string,
  path: string,
  { accessToken, account }: Caller
): Request {
  const url = new URL(`${formatOrigin(host)}/api/v1/tokens${path}`)
  return { method, url, headers: { authorization: `Bearer ${accessToken}`, account } }
}
