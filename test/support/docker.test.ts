import { afterEach, expect, test } from '@jest/globals'
import { createHash } from 'node:crypto'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runChild, type ChildResult } from './child.ts'
import { makeRecordingDocker, type DockerAnswer, type RecordingDocker } from './recording-docker.ts'

const folders: string[] = []

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function dockerWith(...answers: DockerAnswer[]): { docker: RecordingDocker; config: string } {
  const docker = makeRecordingDocker(answers)
  const config = mkdtempSync(join(tmpdir(), 'icr-login-config-'))
  folders.push(docker.directory, config)
  return { docker, config }
}

function login(docker: RecordingDocker, config: string, host = 'us.icr.io'): Promise<ChildResult> {
  const args = ['login', '--username', 'iamapikey', '--password-stdin', host]
  const env = { DOCKER_CONFIG: config, PATH: `${config}:/usr/bin:/bin`, ONE: '1' }
  return runChild(join(docker.directory, 'docker'), args, { env, input: 'a key\n' })
}

const readConfig = (folder: string): unknown => JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'))

test('a login is recorded without its secret, and leaves the entry that docker leaves', async () => {
  const { docker, config } = dockerWith({})
  writeFileSync(join(config, 'config.json'), '{"auths":{"x.invalid":{}},"other":1}')
  expect(await login(docker, config)).toMatchObject({ exitCode: 0, stdout: 'Login Succeeded\n' })
  const auth = Buffer.from('iamapikey:a key').toString('base64')
  expect(readConfig(config)).toEqual({ auths: { 'x.invalid': {}, 'us.icr.io': { auth } }, other: 1 })
  const [call] = docker.calls()
  expect(call).toMatchObject({
    argv: ['login', '--username', 'iamapikey', '--password-stdin', 'us.icr.io'],
    stdin: { bytes: 6, sha256: createHash('sha256').update('a key\n').digest('hex') },
    configDirectory: config,
    config: '{"auths":{"x.invalid":{}},"other":1}'
  })
  expect(call?.env).toEqual({ DOCKER_CONFIG: config, PATH: `${config}:/usr/bin:/bin`, ONE: '1' })
})

test('answers come one a call, the last for all the rest, and a host can have its own', async () => {
  const { docker, config } = dockerWith({ exitCode: 1, stderr: 'i/o timeout\n' }, { entry: 'identity-token' })
  docker.answer([{ exitCode: 7 }], 'de.icr.io')
  expect(await login(docker, config)).toMatchObject({ exitCode: 1, stderr: 'i/o timeout\n', stdout: '' })
  expect(await login(docker, config, 'de.icr.io')).toMatchObject({ exitCode: 7 })
  expect(await login(docker, config)).toMatchObject({ exitCode: 0 })
  expect(await login(docker, config)).toMatchObject({ exitCode: 0 })
  expect(readConfig(config)).toMatchObject({
    auths: { 'us.icr.io': { identitytoken: 'identity-token-for-us.icr.io' } }
  })
  docker.answer([{ entry: 'none', delay: 50 }])
  expect(await login(docker, config, 'uk.icr.io')).toMatchObject({ exitCode: 0 })
  expect(readConfig(config)).not.toHaveProperty(['auths', 'uk.icr.io'])
  expect(docker.calls()).toHaveLength(5)
})

test('a credential helper of the host gets the secret, and config.json an empty entry', async () => {
  const { docker, config } = dockerWith({})
  writeFileSync(join(config, 'config.json'), '{"credHelpers":{"us.icr.io":"shelf"}}')
  writeFileSync(join(config, 'docker-credential-shelf'), `#!/bin/sh\ncat > '${config}/shelf.json'\n`)
  chmodSync(join(config, 'docker-credential-shelf'), 0o755)
  expect(await login(docker, config)).toMatchObject({ exitCode: 0 })
  const shelf: unknown = JSON.parse(readFileSync(join(config, 'shelf.json'), 'utf8'))
  expect(shelf).toEqual({ ServerURL: 'us.icr.io', Username: 'iamapikey', Secret: 'a key' })
  expect(readConfig(config)).toMatchObject({ auths: { 'us.icr.io': {} } })
})
