import { quote, UserError } from './errors.ts'
import type { Endpoint } from './registry-host.ts'

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
  throw new UserError(
    `${name}: "${quote(text)}" is neither true nor false.`,
    `Write ${name}: true or ${name}: false.`
  )
}

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 }
export const LONGEST_TIMEOUT_MS = 3_600_000
export const LONGEST_LIFETIME_MS = 24 * 3_600_000

/**
 * `90s`, `15m`, `1h` in milliseconds.
 * @throws UserError where it is no time, or longer than `longestMs`
 */
export function parseDuration(name: string, text: string, longestMs: number): number {
  const [, count = '', unit = ''] = /^(\d{1,5})([smh])$/.exec(text) ?? []
  const milliseconds = Number(count) * (UNITS[unit] ?? 0)
  if (milliseconds > 0 && milliseconds <= longestMs) return milliseconds
  throw new UserError(
    `${name}: "${quote(text)}" is not a time from 1s to ${longestMs / 3_600_000}h.`,
    `Write it as ${name}: 90s, 15m or 1h.`
  )
}
