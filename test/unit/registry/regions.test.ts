// A region is one row of the table: this is what each row promises.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { isKnownHost, REGIONS, resolveRegion } from '../../../src/registry/regions.ts'

const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8')

test('No two regions share a name, a former name or a host', () => {
  const names = REGIONS.flatMap(({ name, formerly }) => [name, ...(formerly === undefined ? [] : [formerly])])
  const hosts = REGIONS.flatMap(({ host, legacy }) => [host, ...(legacy === undefined ? [] : [legacy])])
  expect([new Set(names).size, new Set(hosts).size]).toEqual([names.length, hosts.length])
})

describe.each(REGIONS)('The region $name', ({ name, host, formerly, legacy }) => {
  test('has a host of IBM Cloud, a private one, and a legacy one only under bluemix.net', () => {
    expect(host).toMatch(/^(?:[a-z]{2}\d?\.)?icr\.io$/)
    expect(legacy ?? 'registry.bluemix.net').toMatch(/^registry\.(?:[a-z-]+\.)?bluemix\.net$/)
    const hosts = [host, `private.${host}`, ...(legacy === undefined ? [] : [legacy])]
    expect(hosts.filter((known) => !isKnownHost(known))).toEqual([])
  })

  test('is found by its name and its former name', () => {
    for (const known of [name, name.toUpperCase(), formerly ?? name]) {
      expect(resolveRegion(known, 'public')).toBe(host)
      expect(resolveRegion(known, 'private')).toBe(`private.${host}`)
    }
  })

  test('is in the README', () => {
    expect(readme).toMatch(new RegExp(`^\\| \`${name}\` .*\`${host}\``, 'm'))
  })
})
