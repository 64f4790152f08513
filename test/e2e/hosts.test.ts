// Several registries in one step: all of them, or none.
import { describe, expect, test } from '@jest/globals'
import { WRITER_KEY } from '../cloud/default-world.ts'
import { statusFault } from '../cloud/faults.ts'
import { requestsWith } from '../cloud/recorder.ts'
import { expectFailure, expectSuccess } from './support/promises.ts'
import { authOf, testBothWays, useStage, writeConfig, readText } from './support/stage.ts'

const stage = useStage()

const entry = { auth: authOf('iamapikey', WRITER_KEY) }

async function threeHosts(): Promise<[string, string, string]> {
  const { host: second } = await stage.cloud.addRegistry({ region: 'eu-de' })
  const { host: third } = await stage.cloud.addRegistry({ region: 'jp-tok' })
  return [stage.cloud.registryHost, second, third]
}

testBothWays('One step logs in to several hosts, and out of all of them', async (docker) => {
  const hosts = await threeHosts()
  const job = await stage.newJob({ docker })
  const before = job.snapshot()
  const main = await job.main({ 'api-key': WRITER_KEY, registry: hosts.join('\n') })
  expectSuccess(main)
  expect(main.outputs).toMatchObject({ registry: hosts[0], registries: JSON.stringify(hosts) })
  expect(job.dockerConfig()?.auths).toEqual(Object.fromEntries(hosts.map((host) => [host, entry])))
  expect(main.summary).toContain(hosts.map((host) => `<code>${host}</code>`).join('<br>'))
  const post = await job.post()
  expectSuccess(post)
  expect(post.log).toBe(hosts.map((host) => `${host}: logged out.\n`).join(''))
  expect(job.snapshot()).toEqual(before)
})

describe('The same host twice is one login', () => {
  testBothWays('whether it is given as a host or as images', async (docker) => {
    const host = stage.cloud.registryHost
    const digest = `sha256:${'0'.repeat(64)}`
    const job = await stage.newJob({ docker })
    const registry = `${host}, ${host}/team/app:1.0 ${host}/team/other@${digest}\n${host.toUpperCase()}`
    const main = await job.main({ 'api-key': WRITER_KEY, registry })
    expectSuccess(main)
    expect(main.outputs['registries']).toBe(JSON.stringify([host]))
    expect(requestsWith(stage.cloud.requests, WRITER_KEY)).toHaveLength(1)
  })

  test('and one docker, whether it is given as a region, its former name or a host', async () => {
    const docker = stage.newDocker()
    const job = await stage.newJob({ docker: docker.directory })
    const inputs = {
      'api-key': WRITER_KEY,
      region: 'eu-de, eu-central\nEU-DE',
      registry: 'de.icr.io DE.icr.io/team/app'
    }
    const main = await job.main(inputs)
    expectSuccess(main)
    expect(main.outputs['registries']).toBe('["de.icr.io"]')
    expect(docker.calls().map(({ argv }) => argv.at(-1))).toEqual(['de.icr.io'])
  })
})

const separators = [',', ', ', ' ', '   ', '\n', '\r\n', ',\n  ', '\n\n', ' , ,']

test.each(separators.map((separator) => [JSON.stringify(separator), separator]))(
  'Regions may be split by %s',
  async (_, separator) => {
    const docker = stage.newDocker()
    const job = await stage.newJob({ docker: docker.directory })
    const region = `${separator}us-south${separator}eu-gb${separator}global${separator}`
    const main = await job.main({ 'api-key': WRITER_KEY, region, registry: `stg.icr.io${separator}` })
    expectSuccess(main)
    expect(main.outputs['registries']).toBe('["us.icr.io","uk.icr.io","icr.io","stg.icr.io"]')
    expect(docker.calls()).toHaveLength(4)
  }
)

test('A registry that IBM opens tomorrow can be logged in to today', async () => {
  const docker = stage.newDocker()
  const job = await stage.newJob({ docker: docker.directory })
  const main = await job.main({ 'api-key': WRITER_KEY, registry: 'za.icr.io private.za.icr.io' })
  expectSuccess(main)
  expect(main.outputs['registries']).toBe('["za.icr.io","private.za.icr.io"]')
})

describe('When one host refuses', () => {
  testBothWays('none is logged in to, and the error names the one', async (docker) => {
    const [first, second, third] = await threeHosts()
    stage.cloud.faults.push({
      service: 'registry',
      host: second,
      path: '/oauth/token',
      fault: statusFault(
        401,
        { 'content-type': 'application/json' },
        '{"errors":[{"code":"UNAUTHORIZED","message":"The login credentials are not valid, or your IBM Cloud account is not active."}]}'
      )
    })
    const job = await stage.newJob({ docker })
    const text = `{"auths":{"${first}":{"auth":"b2xkOm9sZA=="}}}`
    const file = writeConfig(job.home, text)
    const before = [job.snapshot(), job.snapshot(job.temp)]
    const main = await job.main({ 'api-key': WRITER_KEY, registry: `${first} ${second} ${third}` })
    const message = expectFailure(main, '1 of 3 logins failed, so none was kept.', WRITER_KEY)
    expect(message).toContain(`${second} refused the login as iamapikey`)
    expect(message).not.toContain(first)
    expect(message).not.toContain(third)
    expect(readText(file)).toBe(text)
    expect([job.snapshot(), job.snapshot(job.temp)]).toEqual(before)
    const post = await job.post()
    expectSuccess(post)
    expect(post.log).toBe('')
    expect([job.snapshot(), job.snapshot(job.temp)]).toEqual(before)
  })

  testBothWays('and another can’t be reached, the error names both', async (docker) => {
    const [first, second, third] = await threeHosts()
    stage.cloud.faults.push({ service: 'registry', host: second, fault: statusFault(403) })
    stage.cloud.faults.push({ service: 'registry', host: third, fault: statusFault(404) })
    const job = await stage.newJob({ docker })
    const main = await job.main({ 'api-key': WRITER_KEY, registry: `${first} ${second} ${third}` })
    const message = expectFailure(main, '2 of 3 logins failed, so none was kept.', WRITER_KEY)
    expect(message).toContain(second)
    expect(message).toContain(third)
    expect(job.snapshot()).toEqual({})
  })
})
