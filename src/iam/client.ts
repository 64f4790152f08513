import type { Context } from '../context.ts'
import type { TrustedProfile } from '../credential/credential.ts'
import { parseClaims, parseExpiry, parseSeconds } from '../credential/jwt.ts'
import { explainReply } from '../errors/known-messages.ts'
import { UserError } from '../errors/user-error.ts'
import type { Reply } from '../http/client.ts'
import { RetryableError } from '../http/fault.ts'
import { fetchReply, parseBody } from '../http/retry.ts'
import { isObject, stringAt } from '../json.ts'

export interface AccessToken {
  readonly token: string
  /** undefined if IAM did not say. */
  readonly expiresAt: Date | undefined
}

/**
 * Exchanges an API key for an IAM access token (docs/references.md, "IAM tokens").
 * @param iamUrl IAM's origin
 * @throws RefusedError if IAM refuses the key; UserError if it can't be reached
 */
export async function exchangeApiKey(iamUrl: string, apiKey: string, context: Context): Promise<AccessToken> {
  return await fetchToken(iamUrl, 'apikey', { apikey: apiKey, response_type: 'cloud_iam' }, apiKey, context)
}

/** Exchanges a compute resource's token for an access token of a trusted profile. @throws as exchangeApiKey */
export async function exchangeComputeToken(
  iamUrl: string,
  computeToken: string,
  profile: TrustedProfile,
  context: Context
): Promise<AccessToken> {
  const form = { cr_token: computeToken, [`profile_${profile.by}`]: profile.value }
  return await fetchToken(iamUrl, 'cr-token', form, computeToken, context)
}

/**
 * Assumes a trusted profile: exchanges an identity's access token for one of the profile. A profile's name is looked up
 * in the account of the first token.
 * @throws as exchangeApiKey
 */
export async function assumeProfile(
  iamUrl: string,
  accessToken: string,
  profile: TrustedProfile,
  context: Context
): Promise<AccessToken> {
  const account = profile.by === 'name' ? findAccount(accessToken) : undefined
  const form = {
    access_token: accessToken,
    [`profile_${profile.by}`]: profile.value,
    ...(account === undefined ? {} : { account })
  }
  return await fetchToken(iamUrl, 'assume', form, accessToken, context)
}

/** The account of an access token. @throws UserError if the token does not say */
export function accountOf(accessToken: string): string {
  const account = findAccount(accessToken)
  if (account !== undefined) return account
  throw new UserError(
    "IAM's access token does not say which account it is of.",
    'Is iam-url the address of IBM Cloud IAM?'
  )
}

/** `account.bss` (docs/references.md, "IAM tokens"). */
function findAccount(accessToken: string): string | undefined {
  const account = parseClaims(accessToken)?.['account']
  return isObject(account) ? stringAt(account, 'bss') : undefined
}

async function fetchToken(
  iamUrl: string,
  grant: string,
  form: Record<string, string>,
  secret: string,
  context: Context
): Promise<AccessToken> {
  const url = new URL(`${iamUrl}/identity/token`)
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const body = new URLSearchParams({
    grant_type: `urn:ibm:params:oauth:grant-type:${grant}`,
    ...form
  }).toString()
  const what = grant === 'apikey' ? 'the API key' : 'the trusted profile'
  return await fetchReply(
    { method: 'POST', url, headers, body },
    (reply) => {
      if (reply.status === 200) return readAccessToken(reply, context, secret)
      throw explainReply(`IAM (${url.host}) refused ${what} (${reply.status})`, reply, secret)
    },
    context
  )
}

/** The access token in a reply of IAM or of a metadata service; masked. */
export function readAccessToken(reply: Reply, context: Context, secret?: string): AccessToken {
  const body = parseBody(reply)
  const token = stringAt(body, 'access_token')
  // The secret itself would be taken for a short-lived token, and handed on as one.
  if (token === undefined || token === secret)
    throw new RetryableError(`it answered ${reply.status} without an access token`)
  context.mask(token)
  return { token, expiresAt: parseExpiry(token) ?? expiryOf(body, context) }
}

function expiryOf(body: Record<string, unknown>, context: Context): Date | undefined {
  const { expiration, expires_in: seconds } = body
  const given = parseSeconds(expiration)
  if (given !== undefined || typeof seconds !== 'number') return given
  return parseSeconds(context.now() / 1000 + seconds)
}
