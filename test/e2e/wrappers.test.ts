// Machines that are set up in an odd way: a docker that does not use the directory that it is passed, and variables of
// the runner that are empty or relative.
import { describe, expect, test } from '@jest/globals'
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { WRITER_KEY } from '../cloud/default-world.ts'
import type { Environment, Job } from '../support/runner.ts'
import { expectFailure, expectSuccess, filesWith } from './support/promises.ts'
import { authOf, readText, useStage, writeConfig } from './support/stage.ts'

const stage = useStage()
const host = (): string => stage.cloud.registryHost

/** The folder of a docker that loses both `--config` and DOCKER_CONFIG on the way to the real one. */
function newWrapper(): string {
  const folder = stage.newFolder()
  const script = join(folder, 'docker')
  const real = join(stage.newDocker().directory, 'docker')
  const lines = ['#!/bin/sh', 'unset DOCKER_CONFIG', '[ "$1" = --config ] && shift 2', `exec '${real}' "$@"`]
  writeFileSync(script, `${lines.join('\n')}\n`)
  chmodSync(script, 0o755)
  return folder
}

const REMOVED =
  /stored the credential in \S+config\.json, not in the directory in --config\. The login was removed/u

describe('A docker that stores the login in the user’s own config.json', () => {
  test.each([
    ['with another login for the host', () => ({ [host()]: { auth: authOf('me', 'mine') } })],
    ['with another registry', () => ({ 'example.com': { auth: authOf('me', 'mine') } })]
  ])('fails the step, and leaves a file %s as it was', async (_, auths) => {
    const job = await stage.newJob({ docker: newWrapper() })
    const file = writeConfig(job.home, JSON.stringify({ auths: auths(), HttpHeaders: { A: '<1>' } }))
    const before = readText(file)
    expectFailure(await job.main(stage.here({ 'api-key': WRITER_KEY })), REMOVED, WRITER_KEY)
    expect(readText(file)).toBe(before)
    expectSuccess(await job.post())
    expect(readText(file)).toBe(before)
    expect(filesWith(job, WRITER_KEY)).toEqual([])
  })

  test('leaves none where there was none', async () => {
    const job = await stage.newJob({ docker: newWrapper() })
    expectFailure(await job.main(stage.here({ 'api-key': WRITER_KEY })), REMOVED, WRITER_KEY)
    expectSuccess(await job.post())
    expect([job.snapshot(), job.snapshot(job.temp)]).toEqual([{}, {}])
  })

  test('is found in the home where the job’s own directory is another one', async () => {
    const job = await stage.newJob({ docker: newWrapper() })
    const file = writeConfig(job.home, '{}')
    const main = await job.main(stage.here({ 'api-key': WRITER_KEY, isolate: 'true' }))
    expect(expectFailure(main, REMOVED, WRITER_KEY)).toContain(file)
    expect(readText(file)).toBe('{}')
  })

  test('undoes the logins to several registries', async () => {
    const job = await stage.newJob({ docker: newWrapper() })
    const file = writeConfig(job.home, '{ "auths": {} }')
    const registry = `${host()} localhost:${host().split(':')[1] ?? ''}`
    expectFailure(await job.main(stage.here({ 'api-key': WRITER_KEY, registry })), REMOVED, WRITER_KEY)
    expect(readText(file)).toBe('{ "auths": {} }')
  })

  test('names the file and the command where the login can’t be removed', async () => {
    const job = await stage.newJob({ docker: newWrapper() })
    const file = writeConfig(job.home, '{}')
    writeFileSync(join(job.home, '.docker', 'icr-login.json'), '{"version":99,"hosts":{}}')
    const main = await job.main(stage.here({ 'api-key': WRITER_KEY }))
    const message = expectFailure(main, `stored the credential in ${file}, where it can't be removed`)
    expect(message).toContain(`docker logout ${host()}`)
  })
})

/** Logs in and out again; the key is nowhere afterwards. */
async function expectCleanJob(job: Job, inputs = {}): Promise<void> {
  expectSuccess(await job.main(stage.here({ 'api-key': WRITER_KEY, ...inputs })))
  const post = await job.post()
  expectSuccess(post)
  expect(post.log).toContain(`${host()}: logged out`)
  expect(existsSync(join(job.workspace, '.docker'))).toBe(false)
  expect(filesWith(job, WRITER_KEY)).toEqual([])
}

describe('The job cleans up after itself', () => {
  const RELATIVE = 'made/by/hand'
  test.each<[string, Environment]>([
    ['RUNNER_TEMP is relative', { RUNNER_TEMP: RELATIVE }],
    ['RUNNER_TEMP is empty', { RUNNER_TEMP: '' }],
    ['RUNNER_TEMP ends with a slash', { RUNNER_TEMP: `${RELATIVE}//` }],
    ['DOCKER_CONFIG is relative', { DOCKER_CONFIG: RELATIVE }],
    ['HOME is relative', { HOME: RELATIVE }]
  ])('where %s', async (_, env) => {
    const job = await stage.newJob({ env })
    mkdirSync(join(job.workspace, RELATIVE), { recursive: true })
    await expectCleanJob(job)
    expect(readdirSync(join(job.workspace, RELATIVE))).toEqual([])
  })

  test('where RUNNER_TEMP is relative, with isolate', async () => {
    const job = await stage.newJob({ env: { RUNNER_TEMP: RELATIVE } })
    await expectCleanJob(job, { isolate: 'true' })
  })

  test('where HOME is empty, and reads the real home as docker does', async () => {
    const job = await stage.newJob({ env: { HOME: '' } })
    const ours = join(homedir(), '.docker')
    const before = existsSync(ours) ? readdirSync(ours) : undefined
    await expectCleanJob(job, { isolate: 'true' })
    expect(existsSync(ours) ? readdirSync(ours) : undefined).toEqual(before)
  })
})
