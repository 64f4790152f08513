// What is shipped: action.yml says what the code does, and dist is small, whole, and from nobody's machine.
import { describe, expect, test } from '@jest/globals'
import { cpSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { DEFAULTS } from '../../src/runner/inputs.ts'
import { PROFILE_ID, WRITER_KEY } from '../cloud/default-world.ts'
import { readAction } from '../support/action-yml.ts'
import { download } from '../support/download.ts'
import { expectFailure, expectSuccess } from './support/promises.ts'
import { useStage } from './support/stage.ts'

const stage = useStage()

const root = join(import.meta.dirname, '..', '..')
const action = readAction(root)

function filesOf(folder: string): { name: string; text: string }[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((name) => statSync(join(root, name)).isFile())
    .map((name) => ({ name, text: readFileSync(join(root, name), 'utf8') }))
}

describe('action.yml', () => {
  test('gives each input the default that an empty value gets, too', () => {
    const given = Object.entries(action.inputs).filter(([, preset]) => preset !== undefined)
    expect(Object.fromEntries(given)).toEqual(DEFAULTS)
  })

  test('declares every input that the code reads, and no other', async () => {
    const folder = stage.newFolder()
    const [preload, log] = [join(folder, 'read.mjs'), join(folder, 'read.txt')]
    writeFileSync(
      preload,
      `import { appendFileSync } from 'node:fs'
      process.env = new Proxy(process.env, {
        get(target, name) {
          if (String(name).startsWith('INPUT_')) appendFileSync(${JSON.stringify(log)}, String(name) + '\\n')
          return target[name]
        }
      })`
    )
    // It ends before a child is started, which would read all variables at once.
    const job = await stage.newJob({ env: { NODE_OPTIONS: `--import ${preload}` } })
    expectFailure(await job.main(stage.here({ 'trusted-profile': PROFILE_ID })), 'GitHub-hosted')
    // What only some mints need is read only with them.
    const minting = {
      mint: 'api-key',
      'service-id': 'ServiceId-1',
      'trusted-profile': PROFILE_ID,
      lifetime: '1h'
    }
    const mint = 'mint' in action.inputs ? await job.main(stage.here(minting)) : undefined
    if (mint !== undefined) expect(mint.exitCode).toBe(1)
    const read = readFileSync(log, 'utf8').trim().split('\n')
    const declared = Object.keys(action.inputs).map((name) => `INPUT_${name.toUpperCase()}`)
    expect([...new Set(read)].sort()).toEqual(declared.sort())
  })

  test('declares every output that a login sets, and no other', async () => {
    const job = await stage.newJob()
    const main = await job.main(stage.here({ 'api-key': WRITER_KEY }))
    expect(Object.keys(main.outputs).sort()).toEqual([...action.outputs].sort())
  })

  test('runs on Node 24', () => {
    expect(action.using).toBe('node24')
  })
})

describe('dist', () => {
  test('holds neither @actions/http-client nor undici, which each start would pay for', () => {
    for (const { name, text } of filesOf('dist'))
      expect([name, /UND_ERR|Client has already been disposed/u.test(text)]).toEqual([name, false])
  })

  // Each start reads and compiles these files: what only some steps need belongs in the chunk behind network.ts.
  test('loads one file for a plain login with docker, at most 120 kB, and one for its cleanup, at most 100 kB', async () => {
    const copy = stage.newFolder()
    cpSync(join(root, 'action.yml'), join(copy, 'action.yml'))
    for (const phase of ['main', 'post']) {
      mkdirSync(join(copy, 'dist', phase), { recursive: true })
      for (const name of ['index.js', 'package.json'])
        cpSync(join(root, 'dist', phase, name), join(copy, 'dist', phase, name))
    }
    const docker = stage.newDocker()
    const job = await stage.newJob({ action: copy, docker: docker.directory })
    const before = job.snapshot()
    expectSuccess(await job.main({ 'api-key': WRITER_KEY, region: 'us-south eu-de' }))
    expectSuccess(await job.post())
    expect(job.snapshot()).toEqual(before)
    const sizeOf = (phase: string): number => statSync(join(copy, 'dist', phase, 'index.js')).size
    expect(sizeOf('main')).toBeLessThanOrEqual(120_000)
    expect(sizeOf('post')).toBeLessThanOrEqual(100_000)
  })

  test('has every chunk that it may load', () => {
    for (const phase of ['dist/main', 'dist/post']) {
      const files = filesOf(phase)
      const wanted = files.flatMap(({ text }) => [...text.matchAll(/\.e\((\d+)\)/gu)].map(([, id]) => id))
      const there = files.map(({ name }) => name)
      expect(wanted.length).toBeGreaterThan(0)
      for (const id of wanted) expect(there).toContain(join(phase, `${id ?? ''}.index.js`))
    }
  })

  test('says nothing of the machine that it was built on', () => {
    const places = [
      root,
      homedir(),
      '/home/',
      '/Users/',
      '/tmp/',
      '/work/',
      'file:///',
      'node_modules/.'
    ].filter((place) => place !== '/root' && place.length > 4)
    for (const { name, text } of filesOf('dist'))
      expect([name, places.filter((place) => text.includes(place))]).toEqual([name, []])
  })

  test.each([
    ['dist/main', ['@actions/core', '@actions/io', '@actions/tool-cache', 'leven']],
    ['dist/post', ['@actions/core', '@actions/tool-cache']]
  ])('%s has the licenses of what is in it', (phase, packages) => {
    const lines = readFileSync(join(root, phase, 'licenses.txt'), 'utf8').split('\n')
    expect(packages.filter((name) => !lines.includes(name))).toEqual([])
  })

  test('has no trace of a source map, a test or a stand-in', () => {
    for (const { name, text } of filesOf('dist'))
      expect([name, /sourceMappingURL|stand-in|\bjest\b/u.test(text)]).toEqual([name, false])
  })
})

describe('what a runner downloads', () => {
  test('is at most 200 kB, and holds what the action runs on and its terms, and nothing else', async () => {
    const folder = stage.newFolder()
    expect(await download(folder)).toBeLessThanOrEqual(200_000)
    const needed = ['LICENSE', 'README.md', 'action.yml', 'dist', 'package.json']
    expect(readdirSync(folder).sort()).toEqual(needed)
    const dist = (place: string): string[] =>
      readdirSync(join(place, 'dist'), { recursive: true, encoding: 'utf8' })
    expect(dist(folder).sort()).toEqual(dist(root).sort())
  })

  test('runs by itself: it logs in and out again, with docker and without', async () => {
    const folder = stage.newFolder()
    await download(folder)
    for (const docker of [stage.newDocker().directory, 'none']) {
      const job = await stage.newJob({ action: folder, docker })
      const before = job.snapshot()
      expectSuccess(await job.main(stage.here({ 'api-key': WRITER_KEY })))
      expect(job.dockerConfig()?.auths?.[stage.cloud.registryHost]).toBeDefined()
      expectSuccess(await job.post())
      expect(job.snapshot()).toEqual(before)
    }
  })
})
