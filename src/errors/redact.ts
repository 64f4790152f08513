import { MAX_QUOTE, quote } from './quote.ts'

/** Every secret that this step was given or has made, so that none of them is shown in the words of a service. */
export const knownSecrets = new Set<string>()

/** How many characters of a secret, plain or encoded, give it away; more where it is encoded at length. */
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
  const long = [...knownSecrets].filter(({ length }) => length >= ID_PIECE)
  return /^[\w-]{1,100}$/.test(id) && !long.some((secret) => repeats(id.toLowerCase(), secret, ID_PIECE))
}

/** An ID for a message. */
export function quoteId(id: string): string {
  return isPlainId(id) ? id : NOT_SHOWN
}

function repeats(text: string, secret: string, length = PIECE): boolean {
  const once = inBase64(secret)
  const hex = Buffer.from(secret).toString('hex')
  const short = [
    secret,
    hex,
    encodeURIComponent(secret),
    JSON.stringify(secret),
    // As Go writes JSON.
    JSON.stringify(secret).replace(/[<>&]/g, (unit) => `\\u00${unit.charCodeAt(0).toString(16)}`),
    ...once
  ]
  // Each byte by its number, as in a URL, in XML, and in JSON, whose backslashes can be many; and base64 of base64.
  const long = [
    hex.replace(/../g, '%$&'),
    hex.replace(/../g, 'u00$&'),
    [...Buffer.from(secret)].map((byte) => `&#${byte};`).join(''),
    ...once.flatMap(inBase64)
  ]
  return shares(text, short, length) || shares(text.replaceAll('\\', ''), long, LONG_PIECE)
}

/** base64 of a text at each of the three offsets that it can have in a longer one. */
function inBase64(text: string): string[] {
  const shifted = [0, 1, 2].map((offset) => Buffer.concat([Buffer.alloc(offset), Buffer.from(text)]))
  return shifted.flatMap((bytes) => [bytes.toString('base64'), bytes.toString('base64url')])
}

/** Whether a text holds a piece of any of the others, compared in lowercase. */
function shares(text: string, forms: readonly string[], length: number): boolean {
  const windows = new Set(pieces(text, length))
  return forms.some((form) =>
    form.length < length
      ? text.includes(form.toLowerCase())
      : pieces(form.toLowerCase(), length).some((piece) => windows.has(piece))
  )
}

function pieces(text: string, length: number): string[] {
  return Array.from({ length: Math.max(0, text.length - length + 1) }, (_, at) => text.slice(at, at + length))
}
