// A new region is one row: the action from src, with one row more in its table, and nothing else changed.
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isIbmHost, REGIONS, type Region } from '../../src/registry/hosts.ts'
import { makeRecordingDocker } from '../support/recording-docker.ts'
import { startJob, type Inputs } from '../support/runner.ts'

type RegistryHint = typeof import('../../src/registry/hints.ts')

const root = join(import.meta.dirname, '../..')

/** With all that a row can hold. The first letters put it in Europe. */
const ROW: Region = {
  name: 'eu-zrh',
  host: 'ch.icr.io',
  formerly: 'eu-alps',
  legacy: 'registry.eu-zrh.bluemix.net',
  city: 'zurich'
}

const closers: (() => void)[] = []
let action = ''
/** As src/inputs.ts asks for them. */
let hints: Record<'region' | 'registry' | 'host', (text: string) => Error | undefined>

beforeAll(async () => {
  action = mkdtempSync(join(tmpdir(), 'icr-login-region-'))
  for (const name of ['src', 'package.json'])
    cpSync(join(root, name), join(action, name), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(action, 'node_modules'), 'junction')
  const manifest = readFileSync(join(root, 'action.yml'), 'utf8')
  writeFileSync(join(action, 'action.yml'), manifest.replace(/dist\/(main|post)\/index\.js/g, 'src/$1.ts'))
  const table = join(action, 'src', 'registry-host.ts')
  const [before = '', after = ''] = readFileSync(table, 'utf8').split(/(?<=REGIONS: [^]*?\})\n(?=\]\n)/)
  writeFileSync(table, `${before},\n  ${JSON.stringify(ROW)}\n${after}`)
  const file = pathToFileURL(join(action, 'src', 'registry-hint.ts')).href
  const { explainRegion, explainRegistry, findMistake } = (await import(file)) as RegistryHint
  hints = { region: explainRegion, registry: explainRegistry, host: findMistake }
})

afterEach(() => {
  for (const close of closers.splice(0).reverse()) close()
})

afterAll(() => {
  rmSync(action, { recursive: true, force: true })
})

/** Logs in with a docker that sends nothing: the hosts that it was called for, and what the step said. */
async function logIn(inputs: Inputs): Promise<{ hosts: string[]; said: string }> {
  const docker = makeRecordingDocker()
  closers.push(() => {
    docker.close()
  })
  const job = await startJob({ action, docker: docker.directory })
  closers.push(() => {
    job.close()
  })
  const { errors, warnings, notices, stderr } = await job.main({
    'api-key': 'key-of-a-service-id',
    ...inputs
  })
  return {
    hosts: docker
      .calls()
      .map(({ argv }) => argv.at(-1) ?? '')
      .sort(),
    said: [...errors, ...warnings, ...notices, stderr].join('')
  }
}

describe('one more row in the table of regions', () => {
  test.each([
    ['its names', { region: 'eu-zrh EU-Alps' }, ['ch.icr.io']],
    ['its private endpoint', { region: 'eu-zrh', endpoint: 'private' }, ['private.ch.icr.io']],
    ['its legacy endpoint', { region: 'eu-zrh', endpoint: 'legacy' }, ['registry.eu-zrh.bluemix.net']],
    [
      'its hosts and an image there',
      { registry: 'ch.icr.io/namespace/app:1 private.ch.icr.io registry.eu-zrh.bluemix.net' },
      ['ch.icr.io', 'private.ch.icr.io', 'registry.eu-zrh.bluemix.net']
    ]
  ])('is all that a login needs by %s', async (_, inputs: Inputs, hosts) => {
    expect(await logIn(inputs)).toEqual({ hosts, said: '' })
  })

  test.each([
    ['region', 'eu-zrx', 'Did you mean eu-zrh?'],
    ['region', 'Zurich', 'Write region: eu-zrh (ch.icr.io).'],
    ['region', 'ch', 'Write region: eu-zrh (ch.icr.io).'],
    ['region', 'ch.icr.io', 'Write registry: ch.icr.io, or region: eu-zrh.'],
    ['region', 'mars', ', eu-zrh, eu-alps.'],
    ['registry', 'eu-zrh', 'That is a region. Write region: eu-zrh.'],
    ['registry', 'ch.icr.ioo', 'Did you mean ch.icr.io?'],
    ['registry', 'ch.icr.io:443', 'Give it without a port: ch.icr.io.'],
    ['registry', 'docker.io', ', ch.icr.io, or another name'],
    ['host', 'eu-zrh.icr.io', 'Write ch.icr.io.'],
    ['host', 'registry.eu-alps.bluemix.net', 'Write ch.icr.io.'],
    ['host', 'registry.ch.icr.io', 'Write ch.icr.io.'],
    ['host', 'eu.icr.io', ' or ch.icr.io.']
  ] as const)('is all that the hint for the %s %s needs', (kind, text, cure) => {
    expect(hints[kind](text)?.message).toContain(cure)
  })

  test('is all that the one for a region without legacy host needs', async () => {
    const { hosts, said } = await logIn({ region: 'jp-osa', endpoint: 'legacy' })
    expect(said).toContain(', eu-zrh.')
    expect(hosts).toEqual([])
  })
})

describe('every row', () => {
  test.each(REGIONS.map((region) => [region.name, region] as const))('%s is a whole one', (name, region) => {
    expect(name).toMatch(/^(?:global|[a-z]{2}-[a-z0-9]+)$/)
    expect(region.host).toMatch(/^(?:[a-z]{2}\d?\.)?icr\.io$/)
    for (const host of [region.host, region.legacy ?? region.host]) expect(isIbmHost(host)).toBe(true)
  })

  test('is there once, by each of its names', () => {
    const names = REGIONS.flatMap(({ host, legacy, name, formerly, city }) => [
      host,
      legacy,
      name,
      formerly,
      city
    ])
    const given = names.filter((name) => name !== undefined)
    expect(new Set(given).size).toBe(given.length)
  })
})
