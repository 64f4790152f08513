// As much of ASN.1's DER as a certificate needs (X.690). @peculiar/x509 would do too, but cannot be
// loaded without a global `Reflect` polyfill, and costs each test file more time than this file has lines.

export function sequence(...parts: Buffer[]): Buffer {
  return element(0x30, ...parts)
}

export function set(...parts: Buffer[]): Buffer {
  return element(0x31, ...parts)
}

export function integer(bytes: Buffer): Buffer {
  return element(0x02, bytes)
}

export function boolean(value: boolean): Buffer {
  return element(0x01, Buffer.from([value ? 0xff : 0]))
}

export function utf8(text: string): Buffer {
  return element(0x0c, Buffer.from(text))
}

export function octets(content: Buffer): Buffer {
  return element(0x04, content)
}

/** The leading byte says that no bit of the last byte is unused. */
export function bits(content: Buffer): Buffer {
  return element(0x03, Buffer.from([0]), content)
}

/** With two digits for the year, as certificates have it until 2049. */
export function time(date: Date): Buffer {
  return element(
    0x17,
    Buffer.from(
      date
        .toISOString()
        .replace(/\.\d+|[-:T]/g, '')
        .slice(2)
    )
  )
}

export function nothing(): Buffer {
  return element(0x05)
}

/** Tagged by context: constructed, as wrappers are, or primitive, as a DNS name is. */
export function tagged(number: number, content: Buffer, constructed = true): Buffer {
  return element((constructed ? 0xa0 : 0x80) | number, content)
}

export function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  return element(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]))
}

function base128(value: number): number[] {
  const digits = [value & 0x7f]
  for (let left = value >> 7; left > 0; left >>= 7) digits.unshift((left & 0x7f) | 0x80)
  return digits
}

function element(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  return Buffer.concat([Buffer.from([tag, ...lengthOf(content)]), content])
}

function lengthOf({ length }: Buffer): number[] {
  if (length < 0x80) return [length]
  return length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
}
