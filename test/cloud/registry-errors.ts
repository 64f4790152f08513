// How the registry refuses: the messages of docs/references.md, "Registry authentication". Of their HTTP statuses only
// 401 (UNAUTHORIZED) and 403 are documented, so DENIED is 403 here and the rest 401.
import { json, Refusal } from './http.ts'
import type { Reply } from './http.ts'

const MESSAGES = {
  notValid: 'The login credentials are not valid, or your IBM Cloud account is not active.',
  authorizationRequired:
    'Authorization required. See https://cloud.ibm.com/docs/Registry?topic=Registry-troubleshoot-auth-req',
  // The facts give this message up to its "…".
  iamRefused:
    'An error occurred when authenticating your request with IBM Cloud. Clear your browser cookies, and try again.',
  // Up to its "…", too.
  unsupported:
    'The requested authentication method is not supported. Run the `bx cr login` command. To use registry tokens, use `docker login -u token`',
  insufficientScope: 'insufficient scope',
  otherResource: 'You are not authorized to access the specified resource.',
  pullQuota: 'Your account has exceeded its pull traffic quota for the current month.',
  storageQuota: 'Your account has exceeded its image storage quota.',
  privateOnly:
    'Private-only access is enabled on this account, but this request was over the public network. You must access this account over the private network'
}

export type RegistryMessage = keyof typeof MESSAGES

export function unauthorized(message: RegistryMessage, status = 401): Refusal {
  return new Refusal(errorReply(status, 'UNAUTHORIZED', MESSAGES[message]))
}

export function unsupported(): Refusal {
  return new Refusal(errorReply(401, 'UNSUPPORTED', MESSAGES.unsupported))
}

export function denied(message: RegistryMessage, status = 403): Refusal {
  return new Refusal(errorReply(status, 'DENIED', MESSAGES[message]))
}

export function unknownName(): Reply {
  return errorReply(404, 'NAME_UNKNOWN', 'repository name not known to registry')
}

/** Section 0, number 5: what a client gets that reads the challenge without its blanks in mind. */
export function malformed(): Refusal {
  return new Refusal({ status: 400, headers: { 'Content-Type': 'text/plain' }, body: 'Bad Request' })
}

/** The 401 of `/v2/`: its body and its challenge, with a blank after each comma. */
export function challenge(origin: string, scope: string | undefined): Reply {
  const fields = [`realm="${origin}/oauth/token"`, 'service="registry"']
  if (scope !== undefined) fields.push(`scope="${scope}"`)
  const reply = errorReply(401, 'UNAUTHORIZED', MESSAGES.authorizationRequired)
  return { ...reply, headers: { ...reply.headers, 'WWW-Authenticate': `Bearer ${fields.join(', ')}` } }
}

function errorReply(status: number, code: string, message: string): Reply {
  return json(status, { errors: [{ code, message, detail: message }] })
}
