import type { Context } from '../context.ts'
import { type Credential, formatBasic } from '../credential/credential.ts'
import { parseSeconds } from '../credential/jwt.ts'
import { explainReply, findKnownMessage, parseErrors } from '../errors/known-messages.ts'
import { quoteRedacted } from '../errors/redact.ts'
import { RefusedError, UserError } from '../errors/user-error.ts'
import type { Reply } from '../http/client.ts'
import { RetryableError } from '../http/fault.ts'
import { fetchReply, parseBody } from '../http/retry.ts'
import { stringAt } from '../json.ts'
import { type Challenge, parseChallenge } from './challenge.ts'
import { formatOrigin } from './hosts.ts'

/** The registry's own bearer token, for the scopes that were requested. */
interface RegistryToken {
  readonly token: string
  readonly issuedAt: Date
  readonly expiresAt: Date
}

/**
 * The token exchange of `docker login`, for machines without docker: ping → challenge → token → ping with it
 * (docs/references.md, "Registry authentication"). Returns if the registry accepts the credential.
 * @throws RefusedError if the registry refuses the credential
 * @throws UserError if it can't be reached, or is not one of IBM's
 */
export async function verifyCredential(
  host: string,
  credential: Credential,
  context: Context
): Promise<void> {
  const { token } = await exchange(host, credential, [], context)
  await getWithToken(host, '/v2/', token, credential.username, context, credential.secret)
}

/**
 * Ping → challenge → token: exchanges a credential for the registry's own token, by GET with Basic, as docker does
 * (docs/references.md, "Registry authentication").
 * @param scopes what is requested; the registry may grant less
 * @throws as verifyCredential
 */
export async function exchange(
  host: string,
  credential: Credential,
  scopes: readonly string[],
  context: Context
): Promise<RegistryToken> {
  const { realm, service } = await fetchChallenge(host, context)
  const url = parseRealm(host, realm, credential.secret)
  url.searchParams.set('account', credential.username)
  url.searchParams.set('client_id', 'icr-login')
  if (service !== undefined) url.searchParams.set('service', service)
  for (const scope of scopes) url.searchParams.append('scope', scope)
  return await fetchReply(
    { method: 'GET', url, headers: { authorization: `Basic ${formatBasic(credential)}` } },
    (reply) => {
      if (reply.status !== 200) throw refused(host, reply, credential.username, credential.secret)
      return readToken(reply, credential.secret, context)
    },
    context
  )
}

/**
 * Sends a GET with a registry token.
 * @param path such as `/v2/namespace/repository/tags/list`
 * @param who the username, for the error
 * @param secret what the error must not repeat
 * @throws as verifyCredential
 */
export async function getWithToken(
  host: string,
  path: string,
  token: string,
  who: string,
  context: Context,
  secret = token
): Promise<void> {
  await fetchReply(
    { method: 'GET', url: new URL(formatOrigin(host) + path), headers: { authorization: `Bearer ${token}` } },
    (reply) => {
      if (reply.status !== 200) throw refused(host, reply, who, secret)
    },
    context
  )
}

async function fetchChallenge(host: string, context: Context): Promise<Challenge> {
  return await fetchReply(
    { method: 'GET', url: new URL(`${formatOrigin(host)}/v2/`) },
    ({ status, headers }) => {
      const challenge = parseChallenge(headers['www-authenticate'] ?? '')
      if (status === 401 && challenge?.scheme === 'bearer') return challenge
      const strange = new UserError(
        `${host} does not answer like a registry of IBM Cloud: ${status} instead of 401 and a Bearer challenge.`,
        'Nothing was logged in. Is registry right, and is there a proxy or a captive portal in between?'
      )
      if (status !== 200) throw strange
      // A captive portal or proxy, which may be gone at the next attempt.
      throw new RetryableError('it answered 200 instead of 401', undefined, false, strange)
    },
    context
  )
}

/** The realm, if it is on the registry's own origin: docker sends the secret to any realm, this does not. */
function parseRealm(host: string, realm: string | undefined, secret: string): URL {
  const origin = formatOrigin(host)
  const url = realm !== undefined && URL.canParse(realm) ? new URL(realm) : undefined
  if (url?.origin === new URL(origin).origin && url.username === '' && url.password === '') return url
  throw new UserError(
    `${host} asks for the secret to be sent elsewhere: ${realm === undefined ? 'no realm' : quoteRedacted(realm, secret)}.`,
    `It was not sent. A registry of IBM Cloud gives out its tokens itself, at ${origin}/oauth/token.`
  )
}

// The distribution's token specification: "If omitted, this defaults to 60 seconds."
const MIN_LIFETIME_S = 60

function readToken(reply: Reply, secret: string, context: Context): RegistryToken {
  const body = parseBody(reply)
  const token = stringAt(body, 'token') ?? stringAt(body, 'access_token')
  // The secret itself would be taken for a short-lived token, and handed on as one.
  if (token === undefined || token === secret) throw new RetryableError('it answered 200 without a token')
  context.mask(token)
  const seconds = typeof body['expires_in'] === 'number' ? body['expires_in'] : MIN_LIFETIME_S
  const issuedAt = context.now()
  const expiresAt = parseSeconds(issuedAt / 1000 + seconds) ?? new Date(issuedAt + MIN_LIFETIME_S * 1000)
  return { token, issuedAt: new Date(issuedAt), expiresAt }
}

// docker's message for a refusal without a body (docs/references.md, "docker CLI").
const WITHOUT_MESSAGE: Readonly<Record<number, string>> = { 400: '400 Bad Request', 403: '403 Forbidden' }

function refused(host: string, reply: Reply, who: string, secret: string): RefusedError {
  const known = findKnownMessage(parseErrors(reply.body) || (WITHOUT_MESSAGE[reply.status] ?? ''))
  return explainReply(`${host} refused the login as ${who} (${reply.status})`, reply, secret, known)
}

const POLL_MS = 1_000

/**
 * Repeats a request for as long as the registry may not know a new credential yet (docs/references.md, "API keys").
 * @param until milliseconds since 1970
 * @throws what `work` throws for another reason, or after that time
 */
export async function retryWhileUnknown<T>(
  host: string,
  until: number,
  work: () => Promise<T>,
  context: Context
): Promise<T> {
  for (;;) {
    try {
      return await work()
    } catch (error) {
      const unknown = error instanceof RefusedError && error.unauthenticated
      if (!unknown || context.now() + POLL_MS > until) throw error
    }
    context.info(`${host} does not know the new API key yet. Asking again in ${POLL_MS / 1000} s.`)
    await context.sleep(POLL_MS)
  }
}
