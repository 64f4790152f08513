import { isObject, parseObject, stringAt } from '../json.ts'
import { findRequestId, quoteRedacted } from './redact.ts'
import { RefusedError } from './user-error.ts'

/** A service's message, and what it means to a user. docs/troubleshooting.md has a row for each. */
interface KnownMessage {
  /** Matches the message, or its code. */
  readonly pattern: RegExp
  readonly cause: string
  readonly hint: string
}

const POLICY =
  'Give the identity a policy for Container Registry: Reader to pull, Writer to push, for that region and namespace.'
const NEW_LOGIN = 'Log in to IBM Cloud again for a new one, or give an api-key, which does not end.'

/**
 * Messages of IAM and of the registry (docs/references.md, "IAM errors" and "Registry authentication"). The first
 * match counts, so the more specific rows come first.
 */
export const KNOWN_MESSAGES: readonly KnownMessage[] = [
  {
    pattern: /BXNIM0415E|API key could not be found/i,
    cause: 'IAM does not know this API key: it was deleted, is cut short, or is of another environment.',
    hint: 'Create a new API key (ibmcloud iam service-api-key-create) and store it again, whole.'
  },
  {
    pattern: /BXNIM0462E|API key is disabled/i,
    cause: 'The API key is disabled.',
    hint: 'Enable it: ibmcloud iam service-api-key-enable (or api-key-enable), or give another key.'
  },
  {
    pattern: /BXNIM0408E|refresh token is expired/i,
    cause: 'The refresh token has ended.',
    hint: NEW_LOGIN
  },
  {
    pattern: /BXNIM0407E/i,
    cause: 'IAM does not accept this token: it is not whole, or was made for another client.',
    hint: NEW_LOGIN
  },
  {
    pattern: /BXNIM0439E|invalidated due to inactivity/i,
    cause: 'The login session of this token has ended: nobody used it for too long.',
    hint: NEW_LOGIN
  },
  {
    pattern: /BXNIM0400E|external authentication/i,
    cause: 'The account wants a second factor (MFA) for this user.',
    hint: 'Give the API key of a service ID: no second factor is asked of those.'
  },
  {
    pattern: /BXNIM0602E/i,
    cause: 'IAM does not accept this user name and password.',
    hint: 'Give an api-key instead.'
  },
  {
    pattern: /BXNIM0308E|No authorization header/i,
    cause: 'The request reached IAM without its Authorization header.',
    hint: 'Is there a proxy in between that takes it away?'
  },
  {
    pattern: /CRG0009E|not authorized to access the specified account/i,
    cause: "The identity has no rights in the registry's account.",
    hint: 'Is the key of the account that owns the namespace? ' + POLICY
  },
  {
    pattern: /pull traffic quota/i,
    cause: 'The account has used up its pull traffic of this month.',
    hint: 'Raise the quota (ibmcloud cr quota-set) or change the plan (ibmcloud cr plan-upgrade).'
  },
  {
    pattern: /storage quota/i,
    cause: 'The account has used up its image storage.',
    hint: 'Delete images (ibmcloud cr image-prune-untagged), raise the quota, or change the plan.'
  },
  {
    pattern: /Private-only access is enabled|over the public network/i,
    cause: 'The account takes requests from the private network alone.',
    hint: 'Run the job on a self-hosted runner inside IBM Cloud, with endpoint: private.'
  },
  {
    pattern: /creation of registry tokens is discontinued/i,
    cause: 'IBM ended the making of registry tokens on 1 July 2019.',
    hint: 'Give an api-key instead.'
  },
  {
    pattern: /requested authentication method is not supported/i,
    cause: 'The registry does not know this kind of user name.',
    hint: 'Give an api-key, an access-token or a refresh-token. IBM has refused registry tokens since 19 August 2021.'
  },
  {
    pattern: /insufficient scope/i,
    cause:
      "The identity may not do that here: its IAM policy, or a context-based restriction or IP rule of the account's.",
    hint: POLICY + " If there is one, allow this runner's address."
  },
  {
    pattern: /not authorized to access the specified resource/i,
    cause: 'The identity may not use that namespace, or it belongs to another account or region.',
    hint: POLICY
  },
  {
    pattern: /login credentials are not valid|account is not active/i,
    cause: 'The secret is wrong for this registry, or the IBM Cloud account is not active.',
    hint: 'Check the secret, that it is given as what it is (api-key, access-token, …), and that the account is in use.'
  },
  {
    pattern: /Authorization required|troubleshoot-auth-req/i,
    cause:
      'The registry wants another login: the key is not valid, a token has ended, or this is the wrong region.',
    hint: 'Check the secret, and that region is the one your namespace is in (ibmcloud cr region).'
  },
  {
    pattern: /CRG0014E|error occurred when authenticating your request/i,
    cause:
      "IAM refused the registry's question about this secret: the key may be disabled or locked, or an IP rule applies.",
    hint: "Check the key in the IBM Cloud console (Manage, Access), and the account's allowed IP addresses."
  },
  {
    pattern: /authentication required/i,
    cause: 'The registry saw no valid login.',
    hint: 'Check the secret. If it is a token, it may have ended: give an api-key.'
  },
  {
    pattern: /no token is sent|403 Forbidden/i,
    cause:
      'The registry forbids this to the identity: a policy is missing, or a restriction of the account applies.',
    hint: POLICY
  },
  {
    pattern: /400 Bad Request/i,
    cause: 'The user name and the secret do not belong together.',
    hint: 'Give the secret as what it is: api-key, access-token, refresh-token or registry-token.'
  }
]

/** The row for a service's message; undefined if there is none yet. */
export function findKnownMessage(message: string): KnownMessage | undefined {
  return KNOWN_MESSAGES.find(({ pattern }) => pattern.test(message))
}

type Explanation = Pick<KnownMessage, 'cause' | 'hint'>

const UNKNOWN: Explanation = {
  cause: 'The credential was refused.',
  hint: 'Check the secret, that it is given as what it is, and that region is the one your namespace is in.'
}

/**
 * The error for a refused credential; 400 and 401 both mean that (docs/references.md, "IAM errors").
 * @param message the service's own; if it holds any piece of the secret, it is not shown
 * @param requestId as `findRequestId` returns it
 * @param known what it means, if that is not in the table; without a cause, `what` is the whole sentence
 */
export function explainRefusal(
  what: string,
  message: string,
  secret: string,
  requestId?: string,
  { cause, hint }: Explanation = findKnownMessage(message) ?? UNKNOWN
): RefusedError {
  const shown = message === '' ? undefined : quoteRedacted(message, secret)
  const response = requestId === undefined ? shown : `${shown ?? 'no message'} (${requestId})`
  return new RefusedError(cause === '' ? what : `${what}: ${cause}`, hint, response)
}

type Refusal = Parameters<typeof findRequestId>[0] & { readonly status: number }

/** The error for a reply of IAM or the registry that is a refusal; parameters as for `explainRefusal`. */
export function explainReply(
  what: string,
  reply: Refusal,
  secret: string,
  known?: Explanation
): RefusedError {
  const message = parseErrors(reply.body)
  const error = explainRefusal(what, message, secret, findRequestId(reply, secret), known)
  error.unauthenticated = reply.status === 401 && !message.startsWith('DENIED')
  return error
}

/**
 * The messages in an error body of the registry or IAM: `{"errors":[{"code","message"}]}`, `{"code","message"}` or
 * `{"errorCode","errorMessage"}` (docs/references.md, "IAM errors" and "Registry tokens"). Empty if it is something else.
 */
export function parseErrors(body: string): string {
  const object = parseObject(body) ?? {}
  const errors = Array.isArray(object['errors']) ? object['errors'].filter(isObject) : [object]
  return errors.map(parseError).filter(Boolean).join('; ')
}

function parseError(error: Record<string, unknown>): string {
  const code = stringAt(error, 'message_code') ?? stringAt(error, 'errorCode') ?? stringAt(error, 'code')
  return [code, stringAt(error, 'errorMessage') ?? stringAt(error, 'message')].filter(Boolean).join(': ')
}
