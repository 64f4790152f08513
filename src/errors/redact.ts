import { parseObject, stringAt } from '../json.ts'
import { MAX_QUOTE, quote } from './quote.ts'

/** Every secret that this step was given or has obtained, so that no service's message shows one. */
export const knownSecrets = new Set<string>()

/** So many characters in common with a secret, plain or encoded, reveal it; more if the encoding is a long one. */
const PIECE = 6
const LONG_PIECE = 10
/** IDs are hexadecimal, and so is one form of every secret: six characters in common are not rare. */
const ID_PIECE = 8

const NOT_SHOWN = '(not shown: the answer repeats the secret)'

/**
 * A service's message, unless it repeats a piece of the secret, plain or encoded; or of any other secret of this step,
 * because a service can repeat an earlier request.
 */
export function quoteRedacted(message: string, secret: string): string {
  const text = message.slice(0, 2 * MAX_QUOTE).toLowerCase()
  const repeated = [secret, ...knownSecrets].some((known) => known !== '' && repeats(text, known))
  return repeated ? NOT_SHOWN : quote(message)
}

/** Whether an ID from a service can go into addresses, into the log and into state: it repeats no secret. */
export function isPlainId(id: string): boolean {
  return /^[\w-]{1,100}$/.test(id) && !repeatsAny(id, [...knownSecrets])
}

/** An ID for a message. */
export function quoteId(id: string): string {
  return isPlainId(id) ? id : NOT_SHOWN
}

/**
 * The ID that a service gave a request, by the name that IBM's support knows it by (docs/references.md, "IAM errors"
 * and "Registry tokens"); undefined if there is none, or it is not plain text, or repeats a secret.
 */
export function findRequestId(
  { headers, body }: { readonly headers: NodeJS.Dict<string | string[]>; readonly body: string },
  secret: string
): string | undefined {
  const ids = Object.entries({
    'Transaction-Id': headers['transaction-id'],
    'X-Request-Id': headers['x-request-id'],
    'request-id': stringAt(parseObject(body), 'request-id')
  })
  const found = ids.find(([, id]) => typeof id === 'string' && /^\w[\w.:-]{0,99}$/.test(id))
  if (found === undefined || repeatsAny(String(found[1]), [secret, ...knownSecrets])) return undefined
  return found.join(': ')
}

function repeatsAny(id: string, secrets: readonly string[]): boolean {
  const long = secrets.filter(({ length }) => length >= ID_PIECE)
  return long.some((secret) => repeats(id.toLowerCase(), secret, ID_PIECE))
}

function repeats(text: string, secret: string, length = PIECE): boolean {
  const once = inBase64(secret)
  const hex = Buffer.from(secret).toString('hex')
  const quoted = JSON.stringify(secret)
  // As Go writes JSON.
  const inGo = quoted.replace(/[<>&]/g, (unit) => `\\u00${unit.charCodeAt(0).toString(16)}`)
  const short = [secret, hex, encodeURIComponent(secret), quoted, inGo, ...once, ...inBase32(secret)]
  // Each byte by its number, as in a URL, in XML, and in JSON, whose backslashes can be many; and base64 of base64.
  const long = [
    hex.replace(/../g, '%$&'),
    hex.replace(/../g, 'u00$&'),
    [...Buffer.from(secret)].map((byte) => `&#${byte};`).join(''),
    ...once.flatMap(inBase64)
  ]
  // Cut up by blanks, or by other marks if enough of it is letters; forwards and backwards.
  const sharesWithout = (marks: RegExp, least = 1): boolean => {
    const [run = '', ...forms] = [text, ...short].map((one) => one.replace(marks, ''))
    return [run, Array.from(run).reverse().join('')].some((one) => shares(one, forms, length, least))
  }
  return (
    shares(text, short, length) ||
    shares(text.replaceAll('\\', ''), long, LONG_PIECE) ||
    sharesWithout(/[\s\u200b-\u200d\u2060]/g) ||
    sharesWithout(/[^a-z0-9]/gi, LONG_PIECE)
  )
}

/** base64 of a text at each of the three offsets that it can have in a longer one. */
function inBase64(text: string): string[] {
  const shifted = [0, 1, 2].map((offset) => Buffer.concat([Buffer.alloc(offset), Buffer.from(text)]))
  return shifted.flatMap((bytes) => [bytes.toString('base64'), bytes.toString('base64url')])
}

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567'

/** base32 (RFC 4648) of a text at each of the five offsets that it can have in a longer one. */
function inBase32(text: string): string[] {
  const bits = [...Buffer.from(text)].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  return [0, 3, 1, 4, 2].map((offset) =>
    ('0'.repeat(offset) + bits).replace(/.{1,5}/g, (five) => BASE32.charAt(parseInt(five.padEnd(5, '0'), 2)))
  )
}

/**
 * Whether a text holds a piece of any of the others, compared in lowercase.
 * @param least shorter forms than this are not looked for
 */
function shares(text: string, forms: readonly string[], length: number, least = 1): boolean {
  const windows = new Set(pieces(text, length))
  return forms.some((form) => {
    if (form.length < least) return false
    return form.length < length
      ? text.includes(form.toLowerCase())
      : pieces(form.toLowerCase(), length).some((piece) => windows.has(piece))
  })
}

function pieces(text: string, length: number): string[] {
  return Array.from({ length: Math.max(0, text.length - length + 1) }, (_, at) => text.slice(at, at + length))
}
