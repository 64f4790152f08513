import { UserError } from '../errors/user-error.ts'
import { quote } from '../errors/quote.ts'
import { isLoopback } from '../http/loopback.ts'
import { LABEL, MAX_HOST_LENGTH } from '../registry/hosts.ts'

const IAM_URL = /^(https?:\/\/[^/]+?)(?:\/identity\/token)?\/?$/
const IAM_HOST = new RegExp(`^(?:(?:${LABEL}\\.)*iam\\.cloud\\.ibm\\.com|iam\\.test\\.cloud\\.ibm\\.com)$`)

/** Whether an origin is IAM's: IBM's names over https, or this machine. */
export function isIamOrigin(origin: string): boolean {
  const [, scheme, host = ''] = /^(https?):\/\/([^/]+)$/.exec(origin) ?? []
  return isLoopback(host) || (scheme === 'https' && host.length <= MAX_HOST_LENGTH && IAM_HOST.test(host))
}

/**
 * The origin of an IAM endpoint. A trailing `/identity/token` is removed, as in IBM's SDKs (docs/references.md, "IAM tokens").
 * @throws UserError if the host is not IBM's IAM or this machine
 */
export function parseIamUrl(text: string): string {
  const origin = IAM_URL.exec(text)?.[1]
  if (origin !== undefined && isIamOrigin(origin)) return origin
  throw new UserError(
    `iam-url: "${quote(text)}" is not an address of IBM Cloud IAM.`,
    'Leave it out, or give https://iam.cloud.ibm.com or a name under it, such as https://private.iam.cloud.ibm.com.'
  )
}
