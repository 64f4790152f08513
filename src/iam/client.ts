import type { Context } from '../context.ts'
import { type TrustedProfile } from '../credential/credential.ts'
import { parseExpiry } from '../credential/jwt.ts'
import { parseSeconds } from '../credential/jwt.ts'
import { parseClaims } from '../credential/jwt.ts'
import { explainRefusal } from '../errors/known-messages.ts'
import type { RefusedError } from '../errors/user-error.ts'
import { Fault, fetchReply, parseBody, type Reply } from '../http/retry.ts'
import { isObject, parseObject, stringAt } from '../json.ts'

export interface AccessToken {
  readonly token: string
  /** When it ends; undefined where IAM did not say. */
  readonly expiresAt: Date | undefined
}

const GRANT = 'urn:ibm:params:oauth:grant-type:'

/**
 * Exchanges an API key for an IAM access token (facts/ibm-cloud.md section 3.1).
 * @param iamUrl IAM's origin
 * @throws RefusedError where IAM refuses the key; UserError where it can't be reached
 */
export async function exchangeApiKey(iamUrl: string, apiKey: string, context: Context): Promise<AccessToken> {
  const form = { grant_type: `${GRANT}apikey`, apikey: apiKey, response_type: 'cloud_iam' }
  return await fetchToken(iamUrl, form, { what: 'the API key', secret: apiKey }, context)
}

/**
 * Exchanges a compute resource's token for an access token of a trusted profile (section 3.1).
 * @throws as exchangeApiKey
 */
export async function exchangeComputeToken(
  iamUrl: string,
  computeToken: string,
  profile: TrustedProfile,
  context: Context
): Promise<AccessToken> {
  const form = {
    grant_type: `${GRANT}cr-token`,
    cr_token: computeToken,
    [`profile_${profile.by}`]: profile.value
  }
  return await fetchToken(iamUrl, form, { what: 'the trusted profile', secret: computeToken }, context)
}

/**
 * Assumes a trusted profile: an access token of an identity for one of the profile (section 3.1). A profile's name
 * is looked up in the account of the first token.
 * @throws as exchangeApiKey
 */
export async function assumeProfile(
  iamUrl: string,
  accessToken: string,
  profile: TrustedProfile,
  context: Context
): Promise<AccessToken> {
  const account = profile.by === 'name' ? accountOf(accessToken) : undefined
  const form = {
    grant_type: `${GRANT}assume`,
    access_token: accessToken,
    [`profile_${profile.by}`]: profile.value,
    ...(account === undefined ? {} : { account })
  }
  return await fetchToken(iamUrl, form, { what: 'the trusted profile', secret: accessToken }, context)
}

/** The account in an access token: `account.bss` (facts section 3.1, "JWT claims"). */
export function accountOf(accessToken: string): string | undefined {
  const account = parseClaims(accessToken)?.['account']
  return isObject(account) ? stringAt(account, 'bss') : undefined
}

async function fetchToken(
  iamUrl: string,
  form: Record<string, string>,
  about: { readonly what: string; readonly secret: string },
  context: Context
): Promise<AccessToken> {
  const url = new URL(`${iamUrl}/identity/token`)
  return await fetchReply(
    {
      method: 'POST',
      url,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(form).toString()
    },
    (reply) => {
      if (reply.status === 200) return readAccessToken(reply, context, about.secret)
      throw explainReply(`IAM (${url.host}) refused ${about.what}`, reply, about.secret)
    },
    context
  )
}

/** The access token in a reply of IAM's, or of a metadata service; masked. */
export function readAccessToken(reply: Reply, context: Context, secret?: string): AccessToken {
  const body = parseBody(reply)
  const token = stringAt(body, 'access_token')
  // The secret itself would be taken for a short-lived token, and handed on as one.
  if (token === undefined || token === secret)
    throw new Fault(`it answered ${reply.status} without an access token`)
  context.mask(token)
  return { token, expiresAt: parseExpiry(token) ?? expiryOf(body, context) }
}

function expiryOf(body: Record<string, unknown>, context: Context): Date | undefined {
  const { expiration, expires_in: seconds } = body
  const given = parseSeconds(expiration)
  if (given !== undefined || typeof seconds !== 'number') return given
  return parseSeconds(context.now() / 1000 + seconds)
}

/**
 * The error for a reply that is a refusal, in IAM's terms: `errorCode` and `errorMessage` of the token endpoint, or
 * the `errors` of `/v1/*` (facts/ibm-cloud.md section 3.3).
 */
export function explainReply(what: string, reply: Reply, secret: string): RefusedError {
  const body = parseObject(reply.body)
  const errors = Array.isArray(body?.['errors']) ? body['errors'].filter(isObject) : []
  const message = [
    stringAt(body, 'errorCode'),
    stringAt(body, 'errorMessage'),
    ...errors.flatMap((error) => [
      stringAt(error, 'message_code') ?? stringAt(error, 'code'),
      stringAt(error, 'message')
    ])
  ]
  return explainRefusal(`${what} (${reply.status})`, message.filter(Boolean).join(' '), secret)
}
