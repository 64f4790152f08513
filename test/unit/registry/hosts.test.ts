// Which registry a job means, and which hosts may be handed a secret.
import fc from 'fast-check'
import { describe, expect, test } from '@jest/globals'
import { UserError } from '../../../src/errors/user-error.ts'
import {
  formatOrigin,
  isAllowedHost,
  isIbmHost,
  parseRegistry,
  parseRepository
} from '../../../src/registry/hosts.ts'
import { parseIamUrl } from '../../../src/iam/url.ts'
import { isIamOrigin } from '../../../src/iam/url.ts'
import { isKnownHost } from '../../../src/registry/regions.ts'
import { resolveRegion } from '../../../src/registry/regions.ts'
import { REGIONS } from '../../../src/registry/regions.ts'
import { isLoopback } from '../../../src/http/loopback.ts'
import { HOSTILE_IAM_URLS, HOSTILE_PLACES, UNPASSABLE_PLACES } from '../support/hostile.ts'
import { character } from '../support/text.ts'

// docs/references.md, "Regions and hosts", written out by hand: region, former name, public, private, legacy.
const TABLE: [string, string, string, string, string][] = [
  ['global', '', 'icr.io', 'private.icr.io', 'registry.bluemix.net'],
  ['us-south', '', 'us.icr.io', 'private.us.icr.io', 'registry.ng.bluemix.net'],
  ['eu-gb', 'uk-south', 'uk.icr.io', 'private.uk.icr.io', 'registry.eu-gb.bluemix.net'],
  ['eu-de', 'eu-central', 'de.icr.io', 'private.de.icr.io', 'registry.eu-de.bluemix.net'],
  ['au-syd', 'ap-south', 'au.icr.io', 'private.au.icr.io', 'registry.au-syd.bluemix.net'],
  ['jp-tok', 'ap-north', 'jp.icr.io', 'private.jp.icr.io', ''],
  ['jp-osa', '', 'jp2.icr.io', 'private.jp2.icr.io', ''],
  ['ca-tor', '', 'ca.icr.io', 'private.ca.icr.io', ''],
  ['br-sao', '', 'br.icr.io', 'private.br.icr.io', ''],
  ['eu-es', '', 'es.icr.io', 'private.es.icr.io', ''],
  ['ca-mon', '', 'ca2.icr.io', 'private.ca2.icr.io', ''],
  ['in-che', '', 'in.icr.io', 'private.in.icr.io', ''],
  ['in-mum', '', 'in2.icr.io', 'private.in2.icr.io', ''],
  ['eu-fr2', '', 'fr2.icr.io', 'private.fr2.icr.io', '']
]

describe('a region', () => {
  test('there are at least these', () => {
    expect(REGIONS.map(({ name }) => name)).toEqual(expect.arrayContaining(TABLE.map(([name]) => name)))
  })

  test.each(TABLE)('%s (formerly %j) is %s, %s and %j', (name, formerly, host, privateHost, legacy) => {
    const spellings = [name, name.toUpperCase(), ...(formerly === '' ? [] : [formerly, title(formerly)])]
    for (const spelling of spellings) {
      expect(resolveRegion(spelling, 'public')).toBe(host)
      expect(resolveRegion(spelling, 'private')).toBe(privateHost)
      if (legacy !== '') expect(resolveRegion(spelling, 'legacy')).toBe(legacy)
    }
    for (const known of [host, privateHost, legacy].filter((text) => text !== '')) {
      expect([known, isKnownHost(known), isIbmHost(known)]).toEqual([known, true, true])
    }
  })

  test.each(TABLE.filter(([, , , , legacy]) => legacy === ''))(
    '%s (formerly %j) has no legacy host, and the error says which regions have one',
    (name, _formerly, host) => {
      const message = messageOf(() => resolveRegion(name, 'legacy'))
      expect(message).toContain(`The region ${name} has no legacy host`)
      expect(message).toContain(`(${host})`)
      expect(message).toMatch(/legacy host are global, us-south, eu-gb, eu-de, au-syd\.$/)
    }
  )

  test.each(['ng', 'us', 'us-east', 'uk', 'frankfurt', 'de.icr.io', 'international', 'us-south-1'])(
    '%s is none, however well known it is',
    (name) => {
      expect(resolveRegion(name, 'public')).toBeUndefined()
      expect(resolveRegion(name, 'legacy')).toBeUndefined()
    }
  )
})

describe('a registry', () => {
  test.each([
    ['us.icr.io', 'us.icr.io', undefined],
    ['US.ICR.IO', 'us.icr.io', undefined],
    ['icr.io', 'icr.io', undefined],
    ['private.de.icr.io', 'private.de.icr.io', undefined],
    ['registry.ng.bluemix.net', 'registry.ng.bluemix.net', undefined],
    ['registry.bluemix.net', 'registry.bluemix.net', undefined],
    ['Registry.Eu-DE.Bluemix.Net/ns/app', 'registry.eu-de.bluemix.net', 'ns/app'],
    ['za.icr.io', 'za.icr.io', undefined],
    ['private.stg.icr.io', 'private.stg.icr.io', undefined],
    ['us.icr.io/ns/app', 'us.icr.io', 'ns/app'],
    ['us.icr.io/ns/app:1', 'us.icr.io', 'ns/app'],
    ['us.icr.io/ns/app:V1.2_rc-3', 'us.icr.io', 'ns/app'],
    [`us.icr.io/ns/app@sha256:${'0a'.repeat(32)}`, 'us.icr.io', 'ns/app'],
    [`us.icr.io/ns/app:1@sha256:${'0a'.repeat(32)}`, 'us.icr.io', 'ns/app'],
    ['us.icr.io/ns/deep/er/app:1', 'us.icr.io', 'ns/deep/er/app'],
    ['us.icr.io/my-ns__x/a.b_c--d:1', 'us.icr.io', 'my-ns__x/a.b_c--d'],
    ['Us.Icr.Io/ns/app:1', 'us.icr.io', 'ns/app'],
    ['us.icr.io/ns', 'us.icr.io', undefined],
    ['localhost', 'localhost', undefined],
    ['LOCALHOST:5000', 'localhost:5000', undefined],
    ['localhost:5000/ns/app:1', 'localhost:5000', 'ns/app'],
    ['127.0.0.1:5000', '127.0.0.1:5000', undefined],
    [`127.255.255.255:65535/ns/app:1@sha256:${'f'.repeat(64)}`, '127.255.255.255:65535', 'ns/app'],
    ['[::1]:5000/ns/app', '[::1]:5000', 'ns/app']
  ])('%s is the host %s, and the repository %s', (text, host, repository) => {
    expect(parseRegistry(text)).toEqual({ host, ...(repository === undefined ? {} : { repository }) })
  })

  test('a region that IBM opens next year works without a release', () => {
    expect(parseRegistry('za2.icr.io/ns/app:1')).toEqual({ host: 'za2.icr.io', repository: 'ns/app' })
    expect(isKnownHost('za2.icr.io')).toBe(false)
  })

  test('only this machine is spoken to in plain http', () => {
    expect(['us.icr.io', '127.0.0.1:5000', 'localhost', '[::1]:1'].map(formatOrigin)).toEqual([
      'https://us.icr.io',
      'http://127.0.0.1:5000',
      'http://localhost',
      'http://[::1]:1'
    ])
  })
})

describe('what is not to get a secret', () => {
  test('there are enough values to be worth the name', () => {
    expect(new Set(HOSTILE_PLACES).size).toBeGreaterThanOrEqual(80)
    expect(new Set(HOSTILE_IAM_URLS).size).toBeGreaterThanOrEqual(30)
  })

  test.each([...HOSTILE_PLACES, ...UNPASSABLE_PLACES].map(show))(
    '%s is no region and no registry',
    (_, text) => {
      for (const endpoint of ['public', 'private', 'legacy'] as const) {
        expect(resolveRegion(text, endpoint)).toBeUndefined()
      }
      expect(parseRegistry(text)).toBeUndefined()
    }
  )

  test('nothing that looks like an image reference makes the parser wait', () => {
    const start = process.cpuUsage()
    for (const part of ['a', 'a-', '-', 'a_', 'a.', 'a/', ':a', '@a']) {
      expect(parseRegistry(`us.icr.io/${part.repeat(20_000)}!`)).toBeUndefined()
      expect(parseRegistry(`${part.repeat(20_000)}.icr.io`)).toBeUndefined()
    }
    expect(process.cpuUsage(start).user).toBeLessThan(10_000_000)
  })

  test('no text is taken for a host unless a URL parser finds the same host in it, in IBM’s zones or on loopback', () => {
    fc.assert(
      fc.property(placeLike(), (text) => {
        const found = parseRegistry(text)
        if (found === undefined) return
        const url = new URL(`https://${text}`)
        expect(found.host).toBe(url.host)
        expect([url.username, url.password, url.search, url.hash]).toEqual(['', '', '', ''])
        const onLoopback = /^(?:localhost|\[::1\]|127\.\d+\.\d+\.\d+)$/.test(url.hostname)
        expect(onLoopback || url.port === '').toBe(true)
        const zones = ['icr.io', 'bluemix.net']
        expect(onLoopback || zones.some((zone) => liesIn(zone, url.hostname))).toBe(true)
        expect(formatOrigin(found.host)).toBe(`${onLoopback ? 'http' : 'https'}://${found.host}`)
      }),
      { numRuns: 20_000 }
    )
  })
})

describe('repositories', () => {
  test.each([
    ['ns/app', undefined, 'ns/app'],
    ['ns/deep/er/app', undefined, 'ns/deep/er/app'],
    ['us.icr.io/ns/app', 'us.icr.io', 'ns/app'],
    ['US.icr.io/ns/app', 'us.icr.io', 'ns/app'],
    ['127.0.0.1:5000/ns/app', '127.0.0.1:5000', 'ns/app']
  ])('%s is on the host %s the repository %s', (text, host, repository) => {
    expect(parseRepository(text)).toEqual({ ...(host === undefined ? {} : { host }), repository })
  })

  test.each([
    '',
    'ns',
    'NS/app',
    'ns/app:1',
    'ns/app@sha256:0a',
    'us.icr.io/ns',
    'us.icr.io/',
    'evil-icr.io:1/ns/app',
    '../ns',
    'ns//app',
    'ns/app?x',
    'ns/app#x',
    '--help',
    'ns/\u212a'
  ])('%j is none', (text) => {
    expect(messageOf(() => parseRepository(text))).toMatch(
      /is not the name of a repository\.\nWrite namespace\/repository, or host\/namespace\/repository; in small/
    )
  })
})

describe('iam-url', () => {
  test.each([
    ['https://iam.cloud.ibm.com', 'https://iam.cloud.ibm.com'],
    ['https://iam.cloud.ibm.com/', 'https://iam.cloud.ibm.com'],
    ['https://iam.cloud.ibm.com/identity/token', 'https://iam.cloud.ibm.com'],
    ['https://iam.cloud.ibm.com/identity/token/', 'https://iam.cloud.ibm.com'],
    ['https://private.iam.cloud.ibm.com', 'https://private.iam.cloud.ibm.com'],
    ['https://private.us-east.iam.cloud.ibm.com', 'https://private.us-east.iam.cloud.ibm.com'],
    ['https://iam.test.cloud.ibm.com', 'https://iam.test.cloud.ibm.com'],
    ['http://127.0.0.1:8080/identity/token', 'http://127.0.0.1:8080'],
    ['https://localhost:8443', 'https://localhost:8443'],
    ['http://[::1]:80/', 'http://[::1]:80']
  ])('%s is %s', (text, origin) => {
    expect(parseIamUrl(text)).toBe(origin)
  })

  test.each(HOSTILE_IAM_URLS.map(show))('%s is refused, and the error says what to give', (_, text) => {
    const message = messageOf(() => parseIamUrl(text))
    expect(message).toContain('is not an address of IBM Cloud IAM')
    expect(message).toContain('https://iam.cloud.ibm.com')
    expect(message).toMatch(/^[\x20-\x7e…\n]*$/u)
    expect(message.split('\n')).toHaveLength(2)
    expect(isIamOrigin(text)).toBe(false)
  })

  test('no text is taken for an endpoint unless a URL parser finds IBM’s IAM or loopback in it', () => {
    const scheme = fc.constantFrom('https://', 'http://', 'HTTPS://', 'https:', '//', '')
    const end = fc.constantFrom('', '/', '/identity/token', '/identity/token/', '/../', '?', '#', ':443')
    fc.assert(
      fc.property(scheme, placeLike(), end, (start, place, tail) => {
        const text = start + place + tail
        const origin = attempt(() => parseIamUrl(text))
        if (origin === undefined) return
        const url = new URL(text)
        expect(url.origin).toBe(new URL(origin).origin)
        expect([url.username, url.password, url.search, url.hash]).toEqual(['', '', '', ''])
        const onLoopback = isLoopback(url.hostname)
        expect(onLoopback || url.protocol === 'https:').toBe(true)
        const ibm = liesIn('iam.cloud.ibm.com', url.host) || url.host === 'iam.test.cloud.ibm.com'
        expect(onLoopback || ibm).toBe(true)
      }),
      { numRuns: 20_000 }
    )
  })
})

test.each([
  [253, true],
  [254, false]
])('a host of %i letters is one: %j, as the name service has it', (length, allowed) => {
  const below = (zone: string): string =>
    zone.padStart(zone.length + 2 * Math.floor((length - zone.length) / 2), 'a.').padStart(length, 'a')
  expect(below('icr.io')).toHaveLength(length)
  expect(isIbmHost(below('icr.io'))).toBe(allowed)
  expect(isIamOrigin(`https://${below('iam.cloud.ibm.com')}`)).toBe(allowed)
})

describe('loopback', () => {
  test.each(['localhost', 'localhost:1', '127.0.0.1', '127.9.99.255:65535', '[::1]', '[::1]:443'])(
    '%s is this machine',
    (host) => {
      expect([isLoopback(host), isIbmHost(host), isAllowedHost(host)]).toEqual([true, false, true])
    }
  )

  test.each(['126.0.0.1', '0.0.0.0', '[::]', '127.0.0.1:0', '127.0.0.1:070', '127.0.0.00', 'us.icr.io'])(
    '%s is not',
    (host) => {
      expect(isLoopback(host)).toBe(false)
    }
  )
})

function title(name: string): string {
  return name.replace(/(?:^|-)./g, (letter) => letter.toUpperCase())
}

function liesIn(zone: string, host: string): boolean {
  return host === zone || host.endsWith(`.${zone}`)
}

/** A value beside a short form of it, for the test's name. */
function show(text: string): [string, string] {
  const json = JSON.stringify(text).replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16)}`
  )
  return [json.length > 70 ? `${json.slice(0, 70)}…` : json, text]
}

function messageOf(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    expect(error).toBeInstanceOf(UserError)
    return (error as UserError).message
  }
  throw new Error('nothing was thrown')
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch {
    return undefined
  }
}

/** Text that is nearly a host: good names with something put in, and pieces of names and URLs in any order. */
function placeLike(): fc.Arbitrary<string> {
  const good = fc.constantFrom(
    ...['us.icr.io', 'icr.io', 'private.de.icr.io', 'registry.ng.bluemix.net', 'us.icr.io/ns/app:1'],
    ...['127.0.0.1:5000', 'localhost', '[::1]:5000', 'iam.cloud.ibm.com', 'private.iam.cloud.ibm.com']
  )
  const bit = fc.oneof(
    fc.constantFrom(
      ...Array.from('.-_:/\\@#?%*[]0x1\t\0\u212a\u0131\u017f\u3002\u200b\u00ad'),
      'evil.test',
      '%2e',
      '..'
    ),
    fc.string({ minLength: 1, maxLength: 3, unit: character }),
    fc.string({ minLength: 1, maxLength: 3 })
  )
  const changed = fc.tuple(good, fc.nat(40), bit, fc.nat(2)).map(([text, at, insert, cut]) => {
    return text.slice(0, at) + insert + text.slice(at + cut)
  })
  const pieces = fc.array(fc.oneof(good, bit, fc.constantFrom('us', 'icr.io', '.icr.io', 'bluemix.net')), {
    maxLength: 6
  })
  return fc.oneof(
    good,
    changed,
    pieces.map((parts) => parts.join('')),
    fc.string(),
    fc.domain(),
    // fc.webUrl takes seconds to set up.
    fc
      .tuple(
        fc.constantFrom('https://', 'http://', '//'),
        fc.domain(),
        fc.constantFrom('', '/', '/x?y#z', ':1')
      )
      .map((parts) => parts.join(''))
  )
}
