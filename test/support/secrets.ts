// A secret, the 24 forms in which it may get out, and a search for any piece of any of them in any text.

export interface Secret {
  /** How a finding calls it. */
  readonly name: string
  readonly value: string
  /** The part that nobody could guess: a JWT's signature, else all of it. */
  readonly random: string
}

export function makeSecret(name: string, value: string, random: string = randomPartOf(value)): Secret {
  return { name, value, random }
}

/** The header and the claims of a JWT are much the same in all of them, and no secret by themselves. */
function randomPartOf(value: string): string {
  const segments = segmentsOf(value)
  return segments.at(2) ?? value
}

function segmentsOf(value: string): string[] {
  const trimmed = value.trim()
  return /^eyJ[\w-]+\.[\w-]+\.[\w-]{8,}$/u.test(trimmed) ? trimmed.split('.') : []
}

interface Form {
  /** The whole of a text in this form; several where there are several ways to write it. */
  readonly write: (text: string) => string[]
  /** Texts every piece of which tells something of the text: what it is wrapped in is left out. */
  readonly inner?: (text: string) => string[]
  /** How many characters of it are a piece; 12 where not given. */
  readonly piece?: number
}

type Alphabet = 'base64' | 'base64url'

/** base64 of a text that stands so many bytes after the start of what is encoded. */
function aligned(text: string, offset: number, alphabet: Alphabet = 'base64'): string {
  return Buffer.concat([Buffer.alloc(offset, '.'), Buffer.from(text)]).toString(alphabet)
}

/** The characters of it that depend on the text and on nothing else. */
function innerAligned(text: string, offset: number, alphabet: Alphabet = 'base64'): string {
  const end = Math.floor(((offset + Buffer.byteLength(text)) * 4) / 3)
  return aligned(text, offset, alphabet).slice(Math.ceil((offset * 4) / 3), end)
}

const OFFSETS = [0, 1, 2]
const ALPHABETS: readonly Alphabet[] = ['base64', 'base64url']

const unpadded = (text: string): string => text.replace(/=+$/u, '')

function base64Form(offset: number, padded: boolean): Form {
  return {
    write: (text) => [padded ? aligned(text, offset) : unpadded(aligned(text, offset))],
    inner: (text) => [innerAligned(text, offset)]
  }
}

function wrappedForm(width: number): Form {
  const wrap = (text: string): string => text.replace(new RegExp(`.{${width}}(?=.)`, 'gu'), '$&\n')
  return {
    write: (text) => [wrap(aligned(text, 0))],
    // Where a line ends is no piece of a secret: the lines are.
    inner: (text) => wrap(innerAligned(text, 0)).split('\n')
  }
}

/** The user names under which the registry takes a secret, and what else may stand before it. */
const USERS = ['iamapikey', 'iambearer', 'iamrefresh', 'token']

const hex = (text: string): string => Buffer.from(text).toString('hex')

const everyByte = (text: string, before: string): string =>
  hex(text).toUpperCase().replace(/../gu, `${before}$&`)

const formEncode = (text: string): string => new URLSearchParams({ '': text }).toString().slice(1)

/** As JavaScript writes it, as Go does, and with every character by its number; without the quotes. */
function jsonEncode(text: string): string[] {
  const plain = JSON.stringify(text).slice(1, -1)
  return [
    plain,
    plain.replace(/[<>&]/gu, (unit) => `\\u00${unit.charCodeAt(0).toString(16)}`),
    text
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join('')
  ]
}

const XML: Readonly<Record<string, string>> = { '&': 'amp', '<': 'lt', '>': 'gt', '"': 'quot', "'": 'apos' }

function xmlEncode(text: string): string[] {
  return [
    text.replace(/[&<>"']/gu, (character) => `&${XML[character] ?? ''};`),
    text.replace(/[&<>"']/gu, (character) => `&#${character.charCodeAt(0)};`),
    text.replace(/./gsu, (character) => `&#${character.codePointAt(0) ?? 0};`)
  ]
}

function shellQuote(text: string): string[] {
  return [text.replaceAll("'", `'\\''`), text.replace(/[^\w@%+=:,./-]/gu, '\\$&')]
}

const base64Twice = (
  text: string,
  inside: (text: string, offset: number, alphabet: Alphabet) => string
): string[] =>
  ALPHABETS.flatMap((alphabet) =>
    OFFSETS.flatMap((first) =>
      OFFSETS.map((second) => inside(inside(text, first, alphabet), second, alphabet))
    )
  )

/** Every form by its name. */
export const FORMS = {
  'as it is': { write: (text) => [text], piece: 8 },
  trimmed: { write: (text) => [text.trim()], piece: 8 },
  'line by line': { write: (text) => text.split(/[\r\n]+/u).filter(Boolean), piece: 8 },
  base64: base64Form(0, true),
  'base64, one byte on': base64Form(1, true),
  'base64, two bytes on': base64Form(2, true),
  'base64 without padding': base64Form(0, false),
  'base64 without padding, one byte on': base64Form(1, false),
  'base64 without padding, two bytes on': base64Form(2, false),
  'base64 for URLs': {
    write: (text) => OFFSETS.map((offset) => aligned(text, offset, 'base64url')),
    inner: (text) => OFFSETS.map((offset) => innerAligned(text, offset, 'base64url'))
  },
  'base64 wrapped at 76': wrappedForm(76),
  'base64 wrapped at 64': wrappedForm(64),
  'base64 of base64': {
    write: (text) => [aligned(aligned(text, 0), 0)],
    inner: (text) => base64Twice(text, innerAligned)
  },
  'base64 with the user': {
    write: (text) => USERS.map((user) => aligned(`${user}:${text}`, 0)),
    inner: (text) => USERS.map((user) => innerAligned(text, (user.length + 1) % 3))
  },
  hexadecimal: { write: (text) => [hex(text)] },
  'hexadecimal in capitals': { write: (text) => [hex(text).toUpperCase()] },
  'percent-encoded': { write: (text) => [encodeURIComponent(text)] },
  'percent-encoded in every byte': {
    write: (text) => [everyByte(text, '%'), everyByte(text, '%').toLowerCase()]
  },
  'form-encoded': { write: (text) => [formEncode(text)] },
  'in JSON': { write: jsonEncode },
  'in JSON in JSON': {
    write: (text) => jsonEncode(text).map((once) => JSON.stringify(once).slice(1, -1))
  },
  'in XML': { write: xmlEncode },
  'quoted for a shell': { write: shellQuote },
  'the segments of a JWT': { write: (text) => segmentsOf(text).slice(1) }
} satisfies Record<string, Form>

export type FormName = keyof typeof FORMS

export const FORM_NAMES = Object.keys(FORMS) as FormName[]

/** A text in one of the forms, each way to write it. */
export function writeForms(name: FormName, text: string): string[] {
  const form: Form = FORMS[name]
  return form.write(text)
}

/** The texts of a form whose every piece gives something of the text away, and how long a piece is. */
export function innerForms(name: FormName, text: string): { texts: string[]; piece: number } {
  const { write, inner = write, piece = PIECE }: Form = FORMS[name]
  return { texts: inner(text), piece }
}

export interface Finding {
  readonly secret: string
  readonly form: FormName
  /** The piece that was found. */
  readonly piece: string
  /** Where in the text. */
  readonly at: number
}

const PIECE = 12

function* piecesOf(text: string, length: number): Generator<string> {
  if (text.length <= length) yield text
  for (let at = 0; at + length <= text.length; at++) yield text.slice(at, at + length)
}

function* allPieces({ value, random }: Secret): Generator<[FormName, string]> {
  for (const name of FORM_NAMES) {
    const { texts, piece } = innerForms(name, random)
    // A JWT's segments say what they are as a whole; the random one is searched for piece by piece in any case.
    if (name === 'the segments of a JWT') for (const segment of writeForms(name, value)) yield [name, segment]
    else for (const text of texts) for (const one of piecesOf(text, piece)) yield [name, one]
  }
}

const FEWEST = 4

/**
 * Searches texts for pieces of secrets: 8 characters as they are, 12 in the other forms. All pieces go into one set
 * for each length, and the text is slid over once for each.
 */
export class SecretSearch {
  readonly #pieces = new Map<number, Map<string, [secret: string, form: FormName]>>()
  /** For each length, which first, middle and last characters a piece may have. */
  readonly #hints = new Map<number, Uint8Array>()

  constructor(secrets: readonly Secret[]) {
    for (const secret of secrets) {
      for (const [form, piece] of allPieces(secret))
        if (piece.length >= FEWEST) this.#add(secret, form, piece)
    }
  }

  #add(secret: Secret, form: FormName, piece: string): void {
    const pieces = this.#pieces.get(piece.length) ?? new Map<string, [string, FormName]>()
    const hints = this.#hints.get(piece.length) ?? new Uint8Array(HINTS)
    if (!pieces.has(piece)) pieces.set(piece, [secret.name, form])
    hints[hintOf(piece, 0, piece.length)] = 1
    this.#pieces.set(piece.length, pieces)
    this.#hints.set(piece.length, hints)
  }

  /** The first finding of each secret in each form. */
  find(text: string): Finding[] {
    const found = new Map<string, Finding>()
    for (const [length, pieces] of this.#pieces) {
      const hints = this.#hints.get(length) ?? new Uint8Array(HINTS)
      for (let at = 0; at + length <= text.length; at++) {
        if (hints[hintOf(text, at, length)] !== 1) continue
        const piece = text.slice(at, at + length)
        const [secret, form] = pieces.get(piece) ?? []
        if (secret === undefined || form === undefined || found.has(`${secret} ${form}`)) continue
        found.set(`${secret} ${form}`, { secret, form, piece, at })
      }
    }
    return [...found.values()]
  }
}

const HINTS = 1 << 16

function hintOf(text: string, at: number, length: number): number {
  const [first, middle] = [text.charCodeAt(at), text.charCodeAt(at + (length >> 1))]
  return ((first * 31 + middle) * 131 + text.charCodeAt(at + length - 1)) % HINTS
}
