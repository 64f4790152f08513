// Where the login lies, and what would make a client look past it.
import { describe, expect, test } from '@jest/globals'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { WRITER_KEY } from '../cloud/default-world.ts'
import { snapshot } from '../support/runner.ts'
import { expectSuccess } from './support/promises.ts'
import { authOf, testBothWays, useStage } from './support/stage.ts'

const stage = useStage()

const host = (): string => stage.cloud.registryHost

describe('DOCKER_CONFIG', () => {
  testBothWays('names the folder that is used, and the home is left alone', async (docker) => {
    const folder = stage.newFolder()
    writeFileSync(join(folder, 'config.json'), '{"detachKeys":"ctrl-e,e"}', { mode: 0o600 })
    const before = snapshot(folder)
    const job = await stage.newJob({ docker, env: { DOCKER_CONFIG: folder } })
    const main = await job.main(stage.here({ 'api-key': WRITER_KEY }))
    expectSuccess(main)
    expect(main.outputs['docker-config']).toBe(folder)
    expect(job.dockerConfig(folder)?.auths?.[host()]).toEqual({ auth: authOf('iamapikey', WRITER_KEY) })
    expect(job.snapshot()).toEqual({})
    expectSuccess(await job.post())
    expect(snapshot(folder)).toEqual(before)
  })

  testBothWays('that is not there yet is made, and is gone again', async (docker) => {
    const folder = join(stage.newFolder(), 'docker')
    const job = await stage.newJob({ docker, env: { DOCKER_CONFIG: folder } })
    expectSuccess(await job.main(stage.here({ 'api-key': WRITER_KEY })))
    expect(snapshot(folder)['config.json']).toMatch(/^file 0600 /u)
    expectSuccess(await job.post())
    expect(snapshot(join(folder, '..'))).toEqual({})
  })

  testBothWays('relative to the workspace works, and post finds it', async (docker) => {
    const job = await stage.newJob({ docker, env: { DOCKER_CONFIG: '.docker-ci' } })
    const main = await job.main(stage.here({ 'api-key': WRITER_KEY }))
    expectSuccess(main)
    expect(main.outputs['docker-config']).toBe(join(job.workspace, '.docker-ci'))
    expectSuccess(await job.post())
    expect(job.snapshot(job.workspace)).toEqual({})
  })

  test('that is empty means the home', async () => {
    const job = await stage.newJob({ env: { DOCKER_CONFIG: '' } })
    const main = await job.main(stage.here({ 'api-key': WRITER_KEY }))
    expectSuccess(main)
    expect(main.outputs['docker-config']).toBe(join(job.home, '.docker'))
  })
})

describe('A warning names what would shadow the login:', () => {
  const auths = (...keys: string[]): string =>
    JSON.stringify({ auths: Object.fromEntries(keys.map((key) => [key, {}])) })

  testBothWays('DOCKER_AUTH_CONFIG with the host', async (docker) => {
    const job = await stage.newJob({ docker, env: { DOCKER_AUTH_CONFIG: auths(host()) } })
    expectSuccess(await job.main(stage.here({ 'api-key': WRITER_KEY })), ['DOCKER_AUTH_CONFIG is set'])
    expectSuccess(await job.post())
  })

  test('not DOCKER_AUTH_CONFIG with other hosts', async () => {
    const job = await stage.newJob({ env: { DOCKER_AUTH_CONFIG: auths('registry.example.test') } })
    expectSuccess(await job.main(stage.here({ 'api-key': WRITER_KEY })))
  })

  testBothWays('REGISTRY_AUTH_FILE', async (docker) => {
    const file = join(stage.newFolder(), 'auth.json')
    const job = await stage.newJob({ docker, env: { REGISTRY_AUTH_FILE: file } })
    expectSuccess(await job.main(stage.here({ 'api-key': WRITER_KEY })), ['REGISTRY_AUTH_FILE is set'])
  })

  test('not REGISTRY_AUTH_FILE where it is config.json itself', async () => {
    const folder = stage.newFolder()
    const env = { DOCKER_CONFIG: folder, REGISTRY_AUTH_FILE: join(folder, 'config.json') }
    const job = await stage.newJob({ env })
    expectSuccess(await job.main(stage.here({ 'api-key': WRITER_KEY })))
  })

  test.each(['', '/team', '/team/app'])('podman’s auth.json with HOST%s', async (path) => {
    const folder = stage.newFolder()
    mkdirSync(join(folder, 'containers'))
    writeFileSync(join(folder, 'containers', 'auth.json'), auths(`${host()}${path}`))
    const job = await stage.newJob({ env: { XDG_RUNTIME_DIR: folder } })
    const main = await job.main(stage.here({ 'api-key': WRITER_KEY }))
    expectSuccess(main, [join(folder, 'containers', 'auth.json')])
  })

  test('not podman’s auth.json with other hosts, or without any', async () => {
    const folder = stage.newFolder()
    mkdirSync(join(folder, 'containers'))
    writeFileSync(join(folder, 'containers', 'auth.json'), auths('registry.example.test'))
    const job = await stage.newJob({ env: { XDG_RUNTIME_DIR: folder } })
    expectSuccess(await job.main(stage.here({ 'api-key': WRITER_KEY })))
  })
})
