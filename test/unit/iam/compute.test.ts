// Keyless: what IBM Cloud gives to its own machines, and whom this asks for it.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { fetchComputeToken, parseMetadataUrl } from '../../../src/iam/compute.ts'
import type { TrustedProfile } from '../../../src/credential/credential.ts'
import { accountOf } from '../../../src/iam/client.ts'
import { startCloud, type Cloud } from '../../cloud/cloud.ts'
import { ACCOUNT_ID, PROFILE_CRN, PROFILE_ID, PROFILE_NAME } from '../../cloud/default-world.ts'
import { resetFault, statusFault } from '../../cloud/faults.ts'
import { makeContext } from '../support/context.ts'
import { setVariables, useOwnEnvironment } from '../support/environment.ts'
import { makeFolder } from '../support/home.ts'
import { HOSTILE_METADATA_URLS } from '../support/hostile.ts'
import { startServer } from '../support/server.ts'
import { userError } from '../support/throwing.ts'

useOwnEnvironment()

const PROFILE: TrustedProfile = { by: 'id', value: PROFILE_ID }

type ComputeEnvironment = Parameters<typeof fetchComputeToken>[1]

let cloud: Cloud
let folder: string

beforeEach(async () => {
  cloud = await startCloud()
  folder = makeFolder()
})

afterEach(() => cloud.close())

/** On a machine of IBM's, without any token file unless a test puts one there. */
function here(changes: Partial<ComputeEnvironment> = {}): ComputeEnvironment {
  return {
    iamUrl: cloud.iamUrl,
    runner: 'self-hosted',
    metadataUrl: cloud.metadataUrl,
    tokenFiles: ['one', 'two', 'three'].map((name) => join(folder, name)),
    ...changes
  }
}

const services = (): string[] =>
  cloud.requests.map(({ service, method, path }) => `${service} ${method} ${path}`)

describe('a token in a file', () => {
  test.each(['one', 'two', 'three'])(
    'is exchanged at IAM, wherever it is (%s), and masked first',
    async (name) => {
      writeFileSync(join(folder, name), `${cloud.crToken}\n`)
      const context = makeContext()
      const { token, expiresAt: end } = await fetchComputeToken(PROFILE, here(), context)
      expect(context.masks).toEqual([cloud.crToken, token])
      expect([services(), accountOf(token)]).toEqual([['iam POST /identity/token'], ACCOUNT_ID])
      expect(end?.getTime()).toBeGreaterThan(Date.now())
    }
  )

  test('of the first kind counts, in the order of IBM’s SDKs', async () => {
    writeFileSync(join(folder, 'one'), ' \n')
    mkdirSync(join(folder, 'two'))
    writeFileSync(join(folder, 'three'), cloud.crToken)
    await fetchComputeToken(PROFILE, here(), makeContext())
    writeFileSync(join(folder, 'one'), 'another')
    expect(await userError(fetchComputeToken(PROFILE, here(), makeContext()))).toContain(
      'refused the trusted profile'
    )
  })

  test('serves on a GitHub-hosted runner too', async () => {
    writeFileSync(join(folder, 'one'), cloud.crToken)
    await expect(
      fetchComputeToken(PROFILE, here({ runner: 'github-hosted' }), makeContext())
    ).resolves.toBeDefined()
  })

  test('that is refused is not asked for elsewhere', async () => {
    writeFileSync(join(folder, 'one'), 'x.y.z')
    await userError(fetchComputeToken(PROFILE, here(), makeContext()))
    expect(services()).toEqual(['iam POST /identity/token'])
  })
})

describe('the metadata service', () => {
  test.each<TrustedProfile>([
    PROFILE,
    { by: 'crn', value: PROFILE_CRN },
    { by: 'name', value: PROFILE_NAME }
  ])('gives a token for the profile by its $by, masked', async (profile) => {
    const context = makeContext()
    const { token } = await fetchComputeToken(profile, here(), context)
    expect(services()).toEqual([
      'metadata PUT /instance_identity/v1/token',
      'metadata POST /instance_identity/v1/iam_token'
    ])
    expect([context.masks.length, context.masks.at(-1), accountOf(token)]).toEqual([2, token, ACCOUNT_ID])
  })

  test('is asked on a runner that does not say where it is', async () => {
    await expect(
      fetchComputeToken(PROFILE, here({ runner: undefined }), makeContext())
    ).resolves.toBeDefined()
  })

  test('is not asked on a GitHub-hosted runner, where it is another cloud’s', async () => {
    const message = await userError(
      fetchComputeToken(PROFILE, here({ runner: 'github-hosted' }), makeContext())
    )
    expect(message).toContain('works on IBM Cloud only, and this is a GitHub-hosted runner')
    expect(cloud.requests).toEqual([])
  })

  test('is never asked through a proxy', async () => {
    const proxy = await cloud.startProxy()
    setVariables({ HTTP_PROXY: proxy.url, ALL_PROXY: proxy.url })
    await fetchComputeToken(PROFILE, here(), makeContext())
    expect(services().filter((line) => line.startsWith('proxy'))).toEqual([])
  })

  test('that stumbles is asked once more', async () => {
    cloud.faults.push({ service: 'metadata', times: 1, fault: resetFault() })
    await fetchComputeToken(PROFILE, here(), makeContext())
    expect(services()).toHaveLength(3)
  })

  test('that gives this machine no identity says so', async () => {
    cloud.faults.push({ service: 'metadata', fault: statusFault(403) })
    expect(await userError(fetchComputeToken(PROFILE, here(), makeContext()))).toContain(
      'The metadata service gave this machine no identity (403)'
    )
  })

  test('that refuses the profile says so', async () => {
    const other: TrustedProfile = { by: 'name', value: 'other' }
    const message = await userError(fetchComputeToken(other, here(), makeContext()))
    expect(message).toContain('The metadata service refused the trusted profile (403)')
    expect(message).toContain('does not trust this server')
  })

  test.each(['{}', '{"access_token":""}', 'ok'])('that answers %s gave no token', async (body) => {
    const server = await startServer({ body })
    const surroundings = here({ metadataUrl: `http://${server.host}` })
    expect(await userError(fetchComputeToken(PROFILE, surroundings, makeContext()))).toContain(
      'could not be reached'
    )
    expect(server.received).toHaveLength(2)
  })
})

describe('IBMCLOUD_CR_VPC_URL', () => {
  test.each([
    [undefined, 'http://169.254.169.254'],
    ['', 'http://169.254.169.254'],
    ['http://169.254.169.254', 'http://169.254.169.254'],
    ['http://169.254.169.254/', 'http://169.254.169.254'],
    ['http://api.metadata.cloud.ibm.com', 'http://api.metadata.cloud.ibm.com'],
    ['https://api.metadata.power-iaas.cloud.ibm.com/', 'https://api.metadata.power-iaas.cloud.ibm.com'],
    ['http://127.0.0.1:8080', 'http://127.0.0.1:8080'],
    ['http://[::1]:8080/', 'http://[::1]:8080']
  ])('%j is %s', (text, origin) => {
    expect(parseMetadataUrl(text)).toBe(origin)
  })

  test.each(HOSTILE_METADATA_URLS)('%j is refused, and nobody is asked', async (text) => {
    const message = await userError(fetchComputeToken(PROFILE, here({ metadataUrl: text }), makeContext()))
    expect(message).toContain("IBMCLOUD_CR_VPC_URL is not the address of IBM Cloud's metadata service")
    expect(cloud.requests).toEqual([])
  })
})
