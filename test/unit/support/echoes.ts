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
