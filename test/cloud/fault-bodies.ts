// What a fault makes of a true answer: its bytes, too many of them, too few at a time, or of wrong types.
import { STATUS_CODES } from 'node:http'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import type { Reply } from './http.ts'
import { isRecord } from './http.ts'

const MIB = 1024 * 1024

async function bodyOf({ body = '' }: Reply): Promise<Buffer> {
  if (!(body instanceof Readable)) return Buffer.from(body)
  return Buffer.concat((await body.toArray()) as Buffer[])
}

/** As it would go over the wire. */
function headOf(reply: Reply, length: number): Buffer {
  const { status, headers = {} } = reply
  const others = Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'content-length')
  const lines = others.map(([name, value]) => `${name}: ${String(value)}\r\n`)
  const first = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`
  return Buffer.from(`${first}${lines.join('')}Content-Length: ${length}\r\n\r\n`)
}

/** All of the head and half of the body; where there is no body, not all of the head. */
export async function firstHalf(reply: Reply): Promise<Buffer> {
  const body = await bodyOf(reply)
  const head = headOf(reply, body.length)
  if (body.length === 0) return head.subarray(0, -2)
  return Buffer.concat([head, body.subarray(0, Math.ceil(body.length / 2))])
}

/** As many blanks before the body, which JSON allows, without a word of how many there will be. */
export async function padded(reply: Reply, bytes: number): Promise<Reply> {
  const body = await bodyOf(reply)
  return { ...withBody(reply), body: Readable.from(blanksBefore(body, bytes)) }
}

function* blanksBefore(body: Buffer, bytes: number): Generator<Buffer> {
  const chunk = Buffer.alloc(64 * 1024, ' ')
  for (let left = bytes; left > 0; left -= chunk.length) yield chunk.subarray(0, left)
  yield body
}

/** The same as gzip: about a thousand times as large as it looks. */
export async function bombed(reply: Reply, mebibytes: number): Promise<Reply> {
  const body = await bodyOf(reply)
  const blanks = gzipSync(Buffer.alloc(MIB, ' '))
  const bomb = Buffer.concat([...Array<Buffer>(mebibytes).fill(blanks), gzipSync(body)])
  const { status, headers } = withBody(reply)
  return { status, headers: { ...headers, 'Content-Encoding': 'gzip' }, body: bomb }
}

export async function dripped(reply: Reply, milliseconds: number): Promise<Reply> {
  return { ...withBody(reply), body: Readable.from(byteByByte(await bodyOf(reply), milliseconds)) }
}

async function* byteByByte(body: Buffer, milliseconds: number): AsyncGenerator<Buffer> {
  for (const byte of body) {
    yield Buffer.of(byte)
    await sleep(milliseconds, undefined, { ref: false })
  }
}

/** A 204 has no body to spoil. */
function withBody({ status, headers = {} }: Reply): Reply & { headers: NonNullable<Reply['headers']> } {
  return {
    status: status === 204 ? 200 : status,
    headers: { 'Content-Type': 'application/json', ...headers }
  }
}

/** The same names, and under each a value of another type. */
export async function mistyped(reply: Reply): Promise<Reply> {
  const text = (await bodyOf(reply)).toString()
  return { ...withBody(reply), body: JSON.stringify(otherType(text === '' ? {} : parsed(text))) }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text
  }
}

function otherType(value: unknown): unknown {
  if (Array.isArray(value)) return { 0: 'no list' }
  if (isRecord(value)) {
    const entries = Object.entries(value)
    if (entries.length === 0) return []
    return Object.fromEntries(entries.map(([name, inner]) => [name, otherType(inner)]))
  }
  return typeof value === 'string' ? 42 : String(value)
}
