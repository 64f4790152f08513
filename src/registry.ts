import { type Challenge, parseChallenge } from './challenge.ts'
import type { Context } from './context.ts'
import { type Credential, formatBasic } from './credential.ts'
import { explainRefusal } from './diagnosis.ts'
import { quote, UserError } from './errors.ts'
import { Fault, fetchReply, parseBody, type Reply } from './http.ts'
import { stringAt } from './json.ts'
import { parseErrors } from './registry-error.ts'
import { formatOrigin } from './registry-host.ts'

/**
 * The handshake that `docker login` does, for machines without docker: ping → challenge → token → ping with it
 * (facts/ibm-cloud.md section 4). Returns where the registry took the credential.
 * @throws UserError where the registry refuses the credential, can't be reached, or is not one of IBM's
 */
export async function checkCredential(host: string, credential: Credential, context: Context): Promise<void> {
  const challenge = await fetchChallenge(host, context)
  const token = await fetchToken(host, challenge, credential, context)
  await pingWith(host, token, credential, context)
}

async function fetchChallenge(host: string, context: Context): Promise<Challenge> {
  const url = pingUrl(host)
  return await fetchReply(
    { method: 'GET', url },
    ({ status, headers }) => {
      const challenge = parseChallenge(headers['www-authenticate'] ?? '')
      if (status === 401 && challenge?.scheme === 'bearer') return challenge
      throw new UserError(
        `${host} does not answer like a registry of IBM Cloud: ${status} instead of 401 and a Bearer challenge.`,
        'Nothing was logged in. Is registry right, and is there a proxy or a captive portal in between?'
      )
    },
    context
  )
}

function pingUrl(host: string): URL {
  return new URL(`${formatOrigin(host)}/v2/`)
}

/** The realm, where it is the registry's own: docker sends the secret to any realm, this does not. */
function parseRealm(host: string, realm: string | undefined): URL {
  const origin = formatOrigin(host)
  const url = realm !== undefined && URL.canParse(realm) ? new URL(realm) : undefined
  if (url?.origin === new URL(origin).origin && url.username === '' && url.password === '') return url
  throw new UserError(
    `${host} asks for the secret to be sent elsewhere: ${realm === undefined ? 'no realm' : quote(realm)}.`,
    `It was not sent. A registry of IBM Cloud gives out its tokens itself, at ${origin}/oauth/token.`
  )
}

/** GET with Basic, as docker does (facts/ibm-cloud.md section 4). */
async function fetchToken(
  host: string,
  challenge: Challenge,
  credential: Credential,
  context: Context
): Promise<string> {
  const url = parseRealm(host, challenge.realm)
  url.searchParams.set('account', credential.username)
  url.searchParams.set('client_id', 'icr-login')
  if (challenge.service !== undefined) url.searchParams.set('service', challenge.service)
  const headers = { authorization: `Basic ${formatBasic(credential)}` }
  const token = await fetchReply(
    { method: 'GET', url, headers },
    (reply) => {
      if (reply.status !== 200) throw refused(host, reply, credential)
      const body = parseBody(reply)
      const found = stringAt(body, 'token') ?? stringAt(body, 'access_token')
      if (found === undefined) throw new Fault('it answered 200 without a token')
      return found
    },
    context
  )
  context.mask(token)
  return token
}

async function pingWith(
  host: string,
  token: string,
  credential: Credential,
  context: Context
): Promise<void> {
  const headers = { authorization: `Bearer ${token}` }
  await fetchReply(
    { method: 'GET', url: pingUrl(host), headers },
    (reply) => {
      if (reply.status !== 200) throw refused(host, reply, credential)
    },
    context
  )
}

function refused(host: string, reply: Reply, { username, secret }: Credential): UserError {
  const said = parseErrors(reply.body)
  const what = `${host} refused the login as ${username} (${reply.status})`
  return explainRefusal(what, said === '' && reply.status === 403 ? '403 Forbidden' : said, secret)
}
