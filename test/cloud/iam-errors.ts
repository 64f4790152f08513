// How IAM refuses: docs/references.md, "IAM errors".
import { randomUUID } from 'node:crypto'
import { json, Refusal } from './http.ts'
import type { Reply, Request } from './http.ts'

const MESSAGES = {
  BXNIM0415E: 'Provided API key could not be found.',
  BXNIM0462E: 'Provided API key is disabled.',
  BXNIM0407E: 'Provided token is invalid.',
  BXNIM0408E: 'Provided refresh token is expired.',
  BXNIM0439E: 'Session is invalidated due to inactivity.',
  BXNIM0400E: 'External authentication is required.',
  // Not a code of IBM's: for refusals whose code the facts do not give, so that nothing can rest on it.
  BXNIM0000E: 'The request was refused.'
}

export type IamCode = keyof typeof MESSAGES

export class IamRefusal extends Refusal {
  readonly code: IamCode
  constructor(request: Request, code: IamCode, details: string = MESSAGES[code]) {
    super(identityError(request, code, details))
    this.code = code
  }
}

function identityError(request: Request, code: IamCode, details: string): Reply {
  const transaction = transactionId(request)
  const body = {
    errorCode: code,
    errorMessage: details,
    errorDetails: MESSAGES[code],
    ...(code === 'BXNIM0400E'
      ? { requirements: { code: 'OTP_REQUIRED', error: 'A second factor is required.' } }
      : {}),
    context: {
      requestId: transaction,
      requestType: 'incoming.Identity_Token',
      userAgent: request.headers['user-agent'] ?? '',
      url: 'https://identity-3.us-south.iam.cloud.ibm.com',
      instanceId: 'stand-in',
      threadId: '1'
    }
  }
  return json(400, body, { 'Transaction-Id': transaction })
}

/** The other shape: what `/v1/*` answers. */
export function managementRefusal(request: Request, status: number, code: string, message: string): Refusal {
  const transaction = transactionId(request)
  const error = { code: 'error', message_code: code, message, details: message }
  const body = {
    context: { transaction_id: transaction },
    status_code: status,
    errors: [error],
    trace: transaction
  }
  return new Refusal(json(status, body, { 'Transaction-Id': transaction }))
}

/** Which code IBM gives for what it cannot read is not known. */
export function badRequest(request: Request, message: string): Refusal {
  return managementRefusal(request, 400, 'BXNIM0000E', message)
}

export function transactionId(request: Request): string {
  return request.headers['x-request-id'] ?? request.headers['x-correlation-id'] ?? randomUUID()
}
