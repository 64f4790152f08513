import type { Context } from './context.ts'
import { parseEnd, type TrustedProfile } from './credential.ts'
import { explainRefusal } from './diagnosis.ts'
import type { UserError } from './errors.ts'
import { Fault, fetchReply, parseBody, type Reply } from './http.ts'
import { parseObject, stringAt } from './json.ts'

export interface AccessToken {
  readonly token: string
  /** When it ends; undefined where IAM did not say. */
  readonly end: Date | undefined
}

/**
 * Exchanges a compute resource's token for an IAM access token of a trusted profile (facts/ibm-cloud.md section 3.1).
 * @param iamUrl IAM's origin
 * @throws UserError where IAM refuses it or can't be reached
 */
export async function exchangeComputeToken(
  iamUrl: string,
  computeToken: string,
  profile: TrustedProfile,
  context: Context
): Promise<AccessToken> {
  const form = new URLSearchParams({
    grant_type: 'urn:ibm:params:oauth:grant-type:cr-token',
    cr_token: computeToken,
    [`profile_${profile.by}`]: profile.value
  })
  const url = new URL(`${iamUrl}/identity/token`)
  return await fetchReply(
    {
      method: 'POST',
      url,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: form.toString()
    },
    (reply) => {
      if (reply.status !== 200)
        throw refused(`IAM (${url.host}) refused the trusted profile`, reply, computeToken)
      return readAccessToken(reply, context)
    },
    context
  )
}

/** The access token in a reply of IAM's, or of a metadata service; masked. */
export function readAccessToken(reply: Reply, context: Context): AccessToken {
  const body = parseBody(reply)
  const token = stringAt(body, 'access_token')
  if (token === undefined) throw new Fault(`it answered ${reply.status} without an access token`)
  context.mask(token)
  return { token, end: parseEnd(token) ?? endOf(body, context) }
}

function endOf(body: Record<string, unknown>, context: Context): Date | undefined {
  const { expiration, expires_in: seconds } = body
  if (typeof expiration === 'number') return new Date(expiration * 1000)
  return typeof seconds === 'number' ? new Date(context.now() + seconds * 1000) : undefined
}

/** The error for a status other than 200, in IAM's terms (facts/ibm-cloud.md section 3.3). */
export function refused(what: string, reply: Reply, secret: string): UserError {
  const body = parseObject(reply.body)
  const said = [stringAt(body, 'errorCode'), stringAt(body, 'errorMessage')].filter(Boolean).join(' ')
  return explainRefusal(`${what} (${reply.status})`, said, secret)
}
