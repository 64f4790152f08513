// What a wrong name is answered with.
import fc from 'fast-check'
import { describe, expect, test } from '@jest/globals'
import { explainRegion, explainRegistry, findMistake } from '../../../src/registry/hints.ts'
import { REGIONS } from '../../../src/registry/regions.ts'
import { HOSTILE_PLACES, UNPASSABLE_PLACES } from '../support/hostile.ts'
import { character } from '../support/text.ts'

describe('a region that does not exist', () => {
  test.each([
    ['us-east', /ambiguous.*icr\.io.*us\.icr\.io.*region: global or region: us-south/],
    ['US-East', /ambiguous/],
    ['washington', /ambiguous/],
    ['ng', /^Write region: us-south \(us\.icr\.io\)\.$/],
    ['us', /^Write region: us-south /],
    ['uk', /^Write region: eu-gb \(uk\.icr\.io\)\.$/],
    ['JP2', /^Write region: jp-osa /],
    ['frankfurt', /^Write region: eu-de \(de\.icr\.io\)\.$/],
    ['Dallas', /^Write region: us-south /],
    ['london', /^Write region: eu-gb /],
    ['sydney', /^Write region: au-syd /],
    ['tokyo', /^Write region: jp-tok /],
    ['osaka', /^Write region: jp-osa /],
    ['toronto', /^Write region: ca-tor /],
    ['montreal', /^Write region: ca-mon /],
    ['sao-paulo', /^Write region: br-sao /],
    ['saopaulo', /^Write region: br-sao /],
    ['madrid', /^Write region: eu-es /],
    ['chennai', /^Write region: in-che /],
    ['mumbai', /^Write region: in-mum /],
    ['paris', /^Write region: eu-fr2 /],
    ['de.icr.io', /^That is a registry host\. Write registry: de\.icr\.io, or region: eu-de\.$/],
    ['icr.io', /Write registry: icr\.io, or region: global/],
    ['private.de.icr.io', /looks like a registry host\. Give it as registry/],
    ['us-soutth', /^Did you mean us-south\?$/],
    ['eu-dee', /^Did you mean eu-de\?$/],
    ['eu-centrall', /^Did you mean eu-central\?$/],
    ['globl', /^Did you mean global\?$/],
    ['mars', /^The regions are global, us-south, eu-gb, uk-south, eu-de, eu-central, au-syd/]
  ])('%s is answered with the right one', (name, cure) => {
    const [what, said] = explainRegion(name).message.split('\n')
    expect(what).toBe(`region: "${name}" is not a region of IBM Cloud Container Registry.`)
    expect(said).toMatch(cure)
  })
})

describe('a registry that is none', () => {
  test.each([
    ['us-south', 'That is a region. Write region: us-south.'],
    ['EU-Central', 'That is a region. Write region: eu-central.'],
    ['global', 'That is a region. Write region: global.'],
    ['https://us.icr.io', 'Give the host alone, without https:// or a path.'],
    ['us.icr.io:443', 'Give it without a port: us.icr.io.'],
    ['us.icr.i', 'Did you mean us.icr.io?'],
    ['us.icr.ioo/x://y', 'Did you mean us.icr.io?'],
    ['us.icr:1.io', 'A registry of IBM Cloud is one of icr.io, us.icr.io,'],
    ['xus.icr.io.', 'A registry of IBM Cloud is one of icr.io, us.icr.io,'],
    [
      'us.icr.io/X',
      'Give the host alone (us.icr.io), or us.icr.io/namespace/repository, with a tag or digest.'
    ],
    ['docker.io', 'A registry of IBM Cloud is one of icr.io, us.icr.io,']
  ])('%s is answered with: %s', (text, cure) => {
    const [what, said] = explainRegistry(text).message.split('\n')
    expect(what).toBe(`registry: "${text}" is not a registry to log in to.`)
    expect(said).toContain(cure)
  })

  test.each([
    ['eu.icr.io', 'Write uk.icr.io, de.icr.io, es.icr.io'],
    ['private.eu.icr.io', 'There is no registry for all of Europe.'],
    ['registry.us-south.icr.io', 'There is no such host. Write us.icr.io.'],
    ['registry.eu-central.icr.io', 'There is no such host. Write de.icr.io.'],
    ['registry.us.icr.io', 'There is no such host. Write us.icr.io.'],
    ['registry.mars.icr.io', 'There are no registry.….icr.io names'],
    ['registry.icr.io', 'There are no registry.….icr.io names'],
    ['us-south.icr.io', 'There is no such host. Write us.icr.io.'],
    ['private.eu-de.icr.io', 'There is no such host. Write private.de.icr.io.'],
    ['registry.us-south.bluemix.net', 'There is no such host. Write us.icr.io.'],
    ['registry.uk-south.bluemix.net', 'There is no such host. Write uk.icr.io.'],
    ['cp.icr.io', "It is IBM's Entitled Registry, which has users and keys of its own."],
    ['cp.stg.icr.io', 'username cp, and as password the entitlement key'],
    ['dd0.us.icr.io', 'It serves image layers only. Log in to us.icr.io.'],
    ['dd2.icr.io', 'It serves image layers only. Log in to icr.io.']
  ])('%s lies in IBM’s zones, and is answered with: %s', (host, cure) => {
    expect(findMistake(host)?.message).toContain(cure)
  })

  test.each([
    ...['us.icr.io', 'icr.io', 'private.us.icr.io', 'za.icr.io', 'private.za.icr.io', 'stg.icr.io'],
    ...['odd1.icr.io', 'za.dd1.icr.io', 'my-registry.za.icr.io', 'za.registry.za.icr.io'],
    ...['registry.bluemix.net', 'registry.eu-gb.bluemix.net', 'registry.stage1.ng.bluemix.net'],
    ...['registry.cp.bluemix.net', 'registry.dd1.bluemix.net']
  ])('%s is not called a mistake', (host) => {
    expect(findMistake(host)).toBeUndefined()
  })
})

describe('the whole of an answer', () => {
  const hosts = REGIONS.map(({ host }) => host).join(', ')
  const names = REGIONS.flatMap(({ name, formerly }) => [name, ...(formerly ? [formerly] : [])]).join(', ')
  const european = REGIONS.filter(({ name }) => name.startsWith('eu-')).map(({ host }) => host)
  const entitled =
    "It is IBM's Entitled Registry, which has users and keys of its own. Log in to it with docker/login-action or " +
    'docker login: username cp, and as password the entitlement key of your My IBM page.'
  const ambiguous =
    "It is ambiguous: for us-east, IBM's network docs name the global registry (icr.io), and older tools us.icr.io. " +
    'Write region: global or region: us-south, whichever holds your namespace.'

  test.each([
    ['mars', `The regions are ${names}.`],
    ['us-east', ambiguous],
    ['washington-dc', ambiguous],
    ['my.washington', 'That looks like a registry host. Give it as registry, not as region.']
  ])('to region %s', (name, cure) => {
    expect(explainRegion(name).message.split('\n')[1]).toBe(cure)
  })

  test.each([
    ['docker.io', `A registry of IBM Cloud is one of ${hosts}, or another name under icr.io.`],
    ['HTTP://us.icr.io/x', 'Give the host alone, without https:// or a path.'],
    ['US.icr.io:8443', 'Give it without a port: us.icr.io.'],
    ['us.icr.io:x', `A registry of IBM Cloud is one of ${hosts}, or another name under icr.io.`],
    [
      'US.icr.io/X/Y',
      'Give the host alone (us.icr.io), or us.icr.io/namespace/repository, with a tag or digest.'
    ]
  ])('to registry %s', (text, cure) => {
    expect(explainRegistry(text).message.split('\n')[1]).toBe(cure)
  })

  test.each([
    ['cp.icr.io', entitled],
    [
      'eu.icr.io',
      `There is no registry for all of Europe. Write ${european.slice(0, -1).join(', ')} or ${european.at(-1) ?? ''}.`
    ],
    [
      'registry.mars.icr.io',
      `There are no registry.….icr.io names (twistlock/docs#642). The hosts are ${hosts}.`
    ]
  ])('to host %s', (host, cure) => {
    expect(findMistake(host)?.message).toBe(`registry: "${host}" is not a registry to log in to.\n${cure}`)
  })
})

test('whatever the name is, the answer is two lines of plain text, of a length that can be read', () => {
  const hostile = [...HOSTILE_PLACES, ...UNPASSABLE_PLACES]
  const check = (text: string): void => {
    for (const { message } of [explainRegion(text), explainRegistry(text)]) {
      expect(message).toMatch(/^[\x20-\x7e…]*\n[\x20-\x7e…]*$/u)
      expect(message).not.toContain('##[')
      expect(message.length).toBeLessThan(3000)
    }
  }
  hostile.forEach(check)
  fc.assert(fc.property(fc.string({ unit: character, maxLength: 300 }), check))
})
