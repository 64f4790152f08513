import type { Context } from '../context.ts'
import { parseClaims } from '../credential/jwt.ts'
import { explainRefusal } from '../errors/known-messages.ts'
import { quoteId } from '../errors/redact.ts'
import { isPlainId } from '../errors/redact.ts'
import { UserError } from '../errors/user-error.ts'
import { Fault, fetchReply, LARGEST_LIST, parseBody, type Reply, type Request } from '../http/retry.ts'
import { isObject, stringAt } from '../json.ts'
import { parseErrors } from './error-body.ts'
import { formatOrigin } from './hosts.ts'

/** Who asks: the registry wants the account beside the token (facts/ibm-cloud.md section 2.2). */
export interface Caller {
  readonly accessToken: string
  readonly account: string
}

/**
 * Issues a registry token that is never permanent. It is masked.
 * @param wanted.write read-write, where IBM's default is read-only
 * @param wanted.watch told around each try: a try that gets no answer may issue one all the same
 * @returns the token, and its ID, which is the JWT's `jti`
 * @throws UserError where the registry does not issue any: IBM's has not since 1 July 2019
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
  // Query parameters, no body. `write` has a value of its own: bluemix-go fills it from `permanent` (section 2.2).
  const query = { description: wanted.description, permanent: 'false', write: String(wanted.write) }
  return await fetchReply(
    { ...request('POST', host, '', caller, query), watch: wanted.watch },
    (reply) => {
      if (reply.status !== 200 && reply.status !== 201) throw explainIssue(host, reply, caller)
      const token = stringAt(parseBody(reply), 'token')
      if (token !== undefined) context.mask(token)
      const id = stringAt(parseClaims(token ?? ''), 'jti')
      if (token === undefined || id === undefined || !isPlainId(id)) {
        throw new Fault(`it answered ${reply.status} without a registry token`)
      }
      return { id, token }
    },
    context
  )
}

function explainIssue(host: string, reply: Reply, { accessToken }: Caller): Error {
  const message = parseErrors(reply.body)
  const ended = /discontinued/i.test(message) || [404, 405, 410].includes(reply.status)
  if (!ended)
    return explainRefusal(`${host} issued no registry token (${reply.status})`, message, accessToken)
  return new UserError(
    `${host} issues no registry tokens: IBM ended them on 1 July 2019.`,
    'Use mint: repository-token, mint: iam-token or mint: api-key instead.'
  )
}

/**
 * Finds those of the account's registry tokens that carry a description, and were not removed.
 * @returns their IDs
 * @throws UserError where the registry refuses it or can't be reached
 */
export async function findRegistryTokens(
  host: string,
  caller: Caller,
  description: string,
  context: Context
): Promise<string[]> {
  return await fetchReply(
    { ...request('GET', host, '', caller), maxBytes: LARGEST_LIST },
    (reply) => {
      if (reply.status !== 200) throw explain(host, 'list', reply, caller)
      const { tokens } = parseBody(reply)
      // An answer that is no list would be taken for an empty one: nothing left to revoke.
      if (!Array.isArray(tokens)) throw new Fault('it answered 200 without a list of tokens')
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
      // Passed over, it would stay, and nobody would know.
      if (id === undefined) throw new Fault('it answered 200 with a token of this job that has no ID')
      return id
    })
}

/**
 * Removes a registry token by its ID, and all that carry its description; what is gone already is no error.
 * @throws as findRegistryTokens
 */
export async function removeRegistryToken(
  host: string,
  caller: Caller,
  { id, description }: { readonly id: string; readonly description: string },
  context: Context
): Promise<void> {
  const accept = (reply: Reply): void => {
    if (reply.status !== 404 && (reply.status < 200 || reply.status >= 300)) {
      throw explain(host, `remove ${quoteId(id)}`, reply, caller)
    }
  }
  await fetchReply(request('DELETE', host, `/${encodeURIComponent(id)}`, caller), accept, context)
  await fetchReply(request('DELETE', host, '', caller, { secondaryOwner: description }), accept, context)
}

function explain(host: string, what: string, reply: Reply, { accessToken }: Caller): Error {
  return explainRefusal(
    `${host} refused to ${what} (registry tokens, ${reply.status})`,
    parseErrors(reply.body),
    accessToken
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
