// How a service may give a secret back: each way in which a client sends one, or a server writes one down.

const base64 = (before: string) => (secret: string) => Buffer.from(before + secret).toString('base64')
const base64url = (before: string) => (secret: string) => Buffer.from(before + secret).toString('base64url')

const bytes = (secret: string, write: (hex: string) => string): string =>
  Array.from(Buffer.from(secret), (byte) => write(byte.toString(16).padStart(2, '0'))).join('')

export const requestsOf: Readonly<Record<string, (secret: string) => string>> = {
  'as it is': (secret) => secret,
  'in quotes': (secret) => `"${secret}"`,
  'in base64': base64(''),
  'in base64, one letter on': base64('x'),
  'in base64, two letters on': base64('xy'),
  'in base64 as Basic has it': base64('iamapikey:'),
  'in base64 of a URL': base64url(''),
  'in base64 of a URL, one letter on': base64url('x'),
  'in base64 of a URL, two letters on': base64url('xy'),
  'in hexadecimal': (secret) => Buffer.from(secret).toString('hex'),
  'in hexadecimal capitals': (secret) => Buffer.from(secret).toString('hex').toUpperCase(),
  'as part of a URL': (secret) => encodeURIComponent(secret),
  'as part of a form': (secret) => new URLSearchParams({ key: secret }).toString(),
  'in JSON': (secret) => JSON.stringify(secret),
  'in JSON as Go writes it': (secret) =>
    JSON.stringify(secret).replace(/[<>&]/g, (unit) => `\\u00${unit.charCodeAt(0).toString(16)}`),
  'in a URL, byte by byte': (secret) => bytes(secret, (hex) => `%${hex}`),
  'in JSON, byte by byte': (secret) => bytes(secret, (hex) => `\\u00${hex}`),
  'in JSON in JSON, byte by byte': (secret) => bytes(secret, (hex) => `\\\\u00${hex}`),
  'in XML, byte by byte': (secret) => bytes(secret, (hex) => `&#${parseInt(hex, 16)};`),
  'in base64 of base64': (secret) => base64('')(base64('iamapikey:')(secret))
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** base32 as RFC 4648 has it. */
function base32(text: string): string {
  const bits = Array.from(Buffer.from(text), (byte) => byte.toString(2).padStart(8, '0')).join('')
  const letters = (bits.match(/.{1,5}/g) ?? []).map((five) => ALPHABET[parseInt(five.padEnd(5, '0'), 2)])
  return letters.join('').padEnd(Math.ceil(letters.length / 8) * 8, '=')
}

const backwards = (text: string): string => Array.from(text).reverse().join('')

/** Ways in which no client sends a secret, and a service could give it back all the same. */
export const disguisesOf: Readonly<Record<string, (secret: string) => string>> = {
  'cut up by blanks': (secret) => secret.split('').join(' '),
  'cut up by tabs and line ends, three by three': (secret) => secret.replace(/.{3}/g, '$&\t\n'),
  'cut up by blanks of no width': (secret) => secret.split('').join('\u200b'),
  backwards,
  'backwards and cut up': (secret) => backwards(secret).split('').join(' '),
  'in base64, backwards': (secret) => backwards(base64('iamapikey:')(secret)),
  'in base64, cut up': (secret) => base64('iamapikey:')(secret).replace(/.{4}/g, '$& '),
  'in base32': base32,
  ...Object.fromEntries(
    [1, 2, 3, 4].map((count) => [
      `in base32, ${count} on`,
      (secret: string) => base32('x'.repeat(count) + secret)
    ])
  ),
  'in base32 in small letters': (secret) => base32(secret).toLowerCase(),
  'in base32, cut up': (secret) => base32(secret).replace(/.{4}/g, '$& ')
}

/** As above, for keys of letters. */
export const cutsOf: Readonly<Record<string, (secret: string) => string>> = {
  'cut up by dots': (secret) => secret.split('').join('.'),
  'cut up by commas and quotes': (secret) => secret.split('').join('","'),
  'cut up by slashes, backwards': (secret) => backwards(secret).split('').join('/')
}
