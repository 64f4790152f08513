import { UserError } from '../errors/user-error.ts'
import { quote } from '../errors/quote.ts'
import type { Endpoint } from '../registry/regions.ts'
import { isLoopback } from '../http/loopback.ts'

const ENDPOINTS: readonly Endpoint[] = ['public', 'private', 'legacy']

/** @throws UserError where it is none */
export function parseEndpoint(text: string): Endpoint {
  const endpoint = ENDPOINTS.find((name) => name === text)
  if (endpoint !== undefined) return endpoint
  throw new UserError(`endpoint: "${quote(text)}" is none.`, `Give ${ENDPOINTS.join(', ')}, or leave it out.`)
}

/** @throws UserError where it is neither `true` nor `false` */
export function parseBoolean(name: string, text: string): boolean {
  if (/^(?:true|false)$/i.test(text)) return text.toLowerCase() === 'true'
  const hint = `Write ${name}: true or ${name}: false.`
  throw new UserError(`${name}: "${quote(text)}" is neither true nor false.`, hint)
}

/**
 * A version of Docker's own, such as `28.2.2`.
 * @throws UserError where it is none
 */
export function parseDockerVersion(text: string): string {
  const version = /^v?(\d{1,4}(?:\.\d{1,4}){2}(?:-[0-9a-z.]{1,20})?)$/.exec(text)?.[1]
  if (version !== undefined) return version
  throw new UserError(
    `docker-version: "${quote(text)}" is not a version of docker.`,
    'Give a whole one, such as docker-version: 28.2.2. https://download.docker.com/linux/static/stable/x86_64/ lists them.'
  )
}

/**
 * Docker's download site, or a mirror of it. Nothing secret goes there, and no password may stand in it.
 * @throws UserError where it is no plain https address; http will do on this machine
 */
export function parseDockerUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const plain = url !== undefined && `${url.username}${url.password}${url.search}${url.hash}` === ''
  if (plain && (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.host)))) return url
  // It is not quoted: there may be a password in it.
  throw new UserError(
    'docker-url is not an address that a docker CLI can come from.',
    'Give an https address without user, password or query, such as https://download.docker.com, or leave it out.'
  )
}

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 }
export const MAX_TIMEOUT_MS = 3_600_000
export const MAX_LIFETIME_MS = 24 * 3_600_000

/**
 * `90s`, `15m`, `1h` in milliseconds.
 * @throws UserError where it is not a time, or longer than `maxMs`
 */
export function parseDuration(name: string, text: string, maxMs: number): number {
  const [, count = '', unit = ''] = /^(\d{1,5})([smh])$/.exec(text) ?? []
  const milliseconds = Number(count) * (UNITS[unit] ?? 0)
  if (milliseconds > 0 && milliseconds <= maxMs) return milliseconds
  throw new UserError(
    `${name}: "${quote(text)}" is not a time from 1s to ${maxMs / 3_600_000}h.`,
    `Write it as ${name}: 90s, 15m or 1h.`
  )
}
