import { codeOf, UserError } from '../errors/user-error.ts'

/** A response, or the lack of one, that another attempt can fix. */
export class RetryableError extends Error {
  /** The wait that the service asked for, in milliseconds. */
  readonly retryAfter: number | undefined
  readonly rateLimited: boolean
  /** The error once no attempt is left, where that is better known than "could not be reached". */
  readonly finalError: UserError | undefined

  constructor(message: string, retryAfter?: number, rateLimited = false, finalError?: UserError) {
    super(message)
    this.retryAfter = retryAfter
    this.rateLimited = rateLimited
    this.finalError = finalError
  }
}

const CLOSED = 'closed the connection before it had answered'

const FAULTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refused the connection',
  ECONNRESET: CLOSED,
  EPIPE: CLOSED,
  ENOTFOUND: 'has a name that DNS does not know',
  EAI_AGAIN: 'has a name that could not be looked up in DNS',
  ETIMEDOUT: 'did not accept the connection in time',
  EPROTO: 'did not speak TLS',
  HPE_HEADER_OVERFLOW: 'sent headers that are too large'
}

/**
 * What an error of a connection means: retryable, unless it is a certificate that is not trusted.
 * @param host whose certificate it is
 * @param subject who is at fault in the words of a RetryableError
 */
export function explainFault(error: unknown, host: string, subject = 'it'): RetryableError | UserError {
  if (error instanceof RetryableError || error instanceof UserError) return error
  const code = codeOf(error)
  if (/^(?!ERR_SSL_).*(?:CERT|SIGNATURE|ISSUER|ALTNAME|SELF_SIGNED)/.test(code)) {
    return new UserError(
      `The certificate of ${host} is not trusted (${code}).`,
      'If it comes from a proxy that inspects TLS, or from your own CA, set NODE_EXTRA_CA_CERTS to the file of that CA, ' +
        'and SSL_CERT_FILE for docker.'
    )
  }
  return new RetryableError(
    `${subject} ${FAULTS[code] ?? `had a connection error${code === '' ? '' : ` (${code})`}`}`
  )
}
