// Texts of inputs that are one of a few, true or false, or a time.
import { describe, expect, test } from '@jest/globals'
import { UserError } from '../../../src/errors/user-error.ts'
import {
  MAX_LIFETIME_MS,
  MAX_TIMEOUT_MS,
  parseBoolean,
  parseDockerUrl,
  parseDockerVersion,
  parseDuration,
  parseEndpoint
} from '../../../src/runner/values.ts'

describe('an endpoint', () => {
  test.each(['public', 'private', 'legacy'])('%s is one', (text) => {
    expect(parseEndpoint(text)).toBe(text)
  })

  test.each(['', 'Public', 'vpe', 'public '])('%j is none', (text) => {
    const refused = `endpoint: "${text.trim()}" is none.\nGive public, private, legacy, or leave it out.`
    expect(() => parseEndpoint(text)).toThrow(new UserError(...halves(refused)))
  })
})

describe('yes or no', () => {
  test.each([
    ['true', true],
    ['TRUE', true],
    ['True', true],
    ['false', false],
    ['False', false]
  ])('%s is read', (text, value) => {
    expect(parseBoolean('isolate', text)).toBe(value)
  })

  test.each(['', 'yes', '1', 'true!', 'untrue', 'truefalse'])('%j is neither', (text) => {
    const refused = `isolate: "${text}" is neither true nor false.\nWrite isolate: true or isolate: false.`
    expect(() => parseBoolean('isolate', text)).toThrow(new UserError(...halves(refused)))
  })
})

describe('a version of docker', () => {
  test.each([
    ['28.2.2', '28.2.2'],
    ['v27.0.1', '27.0.1'],
    ['19.03.15', '19.03.15'],
    ['29.0.0-rc.1', '29.0.0-rc.1']
  ])('%s is read', (text, version) => {
    expect(parseDockerVersion(text)).toBe(version)
  })

  test.each([
    'latest',
    '28',
    '28.2',
    '28.2.2/../../x',
    '28.2.2 ',
    '28.2.2?x',
    ' 28.2.2',
    '28.2.2-',
    'x28.2.2'
  ])('%j is none', (text) => {
    expect(() => parseDockerVersion(text)).toThrow(
      `docker-version: "${text.trim()}" is not a version of docker.`
    )
  })
})

describe('the address that docker comes from', () => {
  test.each([
    'https://download.docker.com',
    'https://mirror.example.com/docker/',
    'http://127.0.0.1:8080/docker',
    'http://localhost:1'
  ])('%s is one', (text) => {
    expect(parseDockerUrl(text).href).toBe(new URL(text).href)
  })

  test.each([
    'download.docker.com',
    'http://mirror.example.com',
    'ftp://127.0.0.1',
    'file:///srv/docker',
    'https://me:Secret-0@mirror.example.com',
    'https://me@mirror.example.com',
    'https://mirror.example.com/?x=1',
    'https://mirror.example.com/#x',
    'https://'
  ])('%s is none, and is not said again: there may be a password in it', (text) => {
    const refused = 'docker-url is not an address that a docker CLI can come from.'
    expect(() => parseDockerUrl(text)).toThrow(refused)
    expect(() => parseDockerUrl(text)).not.toThrow('Secret-0')
  })
})

describe('a time', () => {
  test.each([
    ['1s', 1_000],
    ['90s', 90_000],
    ['15m', 900_000],
    ['1h', 3_600_000],
    ['24h', 86_400_000],
    ['86400s', 86_400_000]
  ])('%s is read', (text, milliseconds) => {
    expect(parseDuration('lifetime', text, MAX_LIFETIME_MS)).toBe(milliseconds)
  })

  test('may be as long as the longest', () => {
    expect(parseDuration('timeout', '60m', MAX_TIMEOUT_MS)).toBe(3_600_000)
    expect(MAX_TIMEOUT_MS).toBe(3_600_000)
    expect(MAX_LIFETIME_MS).toBe(86_400_000)
  })

  test.each([
    '',
    '0s',
    '-1s',
    '1',
    's',
    '1d',
    '1 h',
    '1.5h',
    '1H',
    '25h',
    '1441m',
    '100000s',
    'x1s',
    '1sx',
    '1h\n'
  ])('%j is none', (text) => {
    const refused =
      `lifetime: "${text.trim()}" is not a time from 1s to 24h.\n` + 'Write it as lifetime: 90s, 15m or 1h.'
    expect(() => parseDuration('lifetime', text, MAX_LIFETIME_MS)).toThrow(new UserError(...halves(refused)))
  })

  test('may not be longer than the longest', () => {
    expect(() => parseDuration('timeout', '61m', MAX_TIMEOUT_MS)).toThrow('from 1s to 1h.')
  })
})

function halves(message: string): [string, string] {
  const [what = '', cure = ''] = message.split('\n')
  return [what, cure]
}
