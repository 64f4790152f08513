// What would make a client look past the login.
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { beforeEach, describe, expect, test } from '@jest/globals'
import { runWell } from '../../support/child.ts'
import { needProgram } from '../../support/programs.ts'
import { findOverrides } from '../../../src/docker/overrides.ts'
import { makeFolder } from '../support/home.ts'

const HOSTS = ['us.icr.io', 'de.icr.io']

let config: string
let runtime: string

beforeEach(() => {
  const folder = makeFolder()
  config = join(folder, 'config.json')
  runtime = join(folder, 'run')
  writeFileSync(config, '{}')
  mkdirSync(join(runtime, 'containers'), { recursive: true })
})

const find = (env: NodeJS.ProcessEnv): readonly string[] => findOverrides(HOSTS, config, env)

function podmanHas(content: unknown): void {
  writeFileSync(
    join(runtime, 'containers', 'auth.json'),
    typeof content === 'string' ? content : JSON.stringify(content)
  )
}

test('nothing in the environment is nothing to warn of', () => {
  expect(find({})).toEqual([])
  expect(find({ DOCKER_AUTH_CONFIG: '', REGISTRY_AUTH_FILE: '', XDG_RUNTIME_DIR: '' })).toEqual([])
})

describe('DOCKER_AUTH_CONFIG', () => {
  test.each<[string, RegExp | undefined]>([
    ['{"auths":{"us.icr.io":{"auth":"x"}}}', /reads the login for us\.icr\.io from there/],
    ['{"auths":{"us.icr.io":{},"de.icr.io":{}}}', /us\.icr\.io and de\.icr\.io/],
    ['{"auths":{"de.icr.io/team":{}}}', /de\.icr\.io/],
    ['{"auths":{"us.icr.io.example.test":{},"xus.icr.io":{}}}', undefined],
    ['{"auths":{"ghcr.io":{}}}', undefined],
    ['{"auths":[]}', undefined],
    ['not JSON', /us\.icr\.io and de\.icr\.io/]
  ])('of %s', (text, line) => {
    const found = find({ DOCKER_AUTH_CONFIG: text })
    expect(found).toEqual(line === undefined ? [] : [expect.stringMatching(line)])
    if (line !== undefined) expect(found[0]).toMatch(/^DOCKER_AUTH_CONFIG is set: .*Unset it\.$/)
  })
})

describe('REGISTRY_AUTH_FILE', () => {
  test('of another file is named', () => {
    expect(find({ REGISTRY_AUTH_FILE: '/other.json' })).toEqual([
      expect.stringMatching(/^REGISTRY_AUTH_FILE is set: podman, buildah and skopeo read that file/)
    ])
  })

  test('of this very file is fine, by a link too', () => {
    const link = join(dirname(config), 'link.json')
    symlinkSync(config, link)
    expect(find({ REGISTRY_AUTH_FILE: config })).toEqual([])
    expect(find({ REGISTRY_AUTH_FILE: link })).toEqual([])
  })
})

describe('podman’s auth.json', () => {
  test.each<[string, unknown, RegExp | undefined]>([
    ['of the host', { auths: { 'us.icr.io': {} } }, /has a login for us\.icr\.io: podman/],
    ['of a namespace of it', { auths: { 'us.icr.io/team': {} } }, /us\.icr\.io/],
    ['of a repository of it', { auths: { 'us.icr.io/team/app': {} } }, /us\.icr\.io/],
    ['of another host', { auths: { 'quay.io': {} } }, undefined],
    ['of nobody', {}, undefined],
    ['that is broken', '{', undefined]
  ])('with a login %s', (_, content, line) => {
    podmanHas(content)
    expect(find({ XDG_RUNTIME_DIR: runtime })).toEqual(
      line === undefined ? [] : [expect.stringMatching(line)]
    )
  })

  test('is not there', () => {
    expect(find({ XDG_RUNTIME_DIR: runtime })).toEqual([])
  })

  test.each(['DOCKER_CONFIG', 'REGISTRY_AUTH_FILE'])('does not matter where %s is set', (name) => {
    podmanHas({ auths: { 'us.icr.io': {} } })
    expect(find({ XDG_RUNTIME_DIR: runtime, [name]: config })).toEqual([])
  })
})

test('all of them are named', () => {
  const found = find({ DOCKER_AUTH_CONFIG: 'x', REGISTRY_AUTH_FILE: '/other.json' })
  expect(found).toHaveLength(2)
})

test('a pipe in the place of podman’s file is not waited for', async () => {
  await runWell(needProgram('mkfifo'), [join(runtime, 'containers', 'auth.json')])
  expect(find({ XDG_RUNTIME_DIR: runtime })).toEqual([])
})
