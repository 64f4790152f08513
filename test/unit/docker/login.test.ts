// All that a login does beside docker; a script stands in for docker.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { beforeEach, describe, expect, test } from '@jest/globals'
import { configPath } from '../../../src/docker/config/file.ts'
import type { Credential } from '../../../src/credential/credential.ts'
import { addLogins } from '../../../src/docker/config/user-config.ts'
import { claimHelper } from '../../../src/docker/helper-login.ts'
import { type LoginPlan, logInToRegistries } from '../../../src/docker/login.ts'
import { makeContext } from '../support/context.ts'
import { makeHelper } from '../support/credential-helper.ts'
import { setVariables, useOwnEnvironment } from '../support/environment.ts'
import { listing, makeFolder } from '../support/home.ts'
import { userError } from '../support/throwing.ts'

useOwnEnvironment()

const HOST = 'us.icr.io'
const KEY: Credential = { username: 'iamapikey', secret: 'Wr1tQm7vXk_2ZpLd9sHcNfYb4RgTjUe6aGo8iKxMq-0v' }
const BEFORE = '{"auths":{"ghcr.io":{"auth":"bWU6cA=="}}}'
const DAY = 24 * 60 * 60 * 1000

let plan: LoginPlan

beforeEach(() => {
  const folder = makeFolder()
  const directory = join(folder, 'docker')
  mkdirSync(directory)
  writeFileSync(configPath(directory), BEFORE)
  plan = { loginId: '0123456789abcdef', directory, scratch: join(folder, 'scratch', 'one') }
})

/** A docker for the PATH that takes any secret, and writes this entry for its host. */
function putDocker(entry: unknown): void {
  const folder = makeFolder()
  const config = JSON.stringify({ auths: { HOST: entry } })
  const script = `#!/bin/sh
cat > /dev/null
for host; do :; done
cat > "$DOCKER_CONFIG/config.json" <<END
${config.replace('HOST', '$host')}
END
`
  writeFileSync(join(folder, 'docker'), script, { mode: 0o700 })
  setVariables({ PATH: [folder, process.env['PATH']].join(delimiter) })
}

const basic = (text: string): { readonly auth: string } => ({ auth: Buffer.from(text).toString('base64') })
const neverUsed = (): Promise<never> => Promise.reject(new Error('there is a docker'))
const login = async (host = HOST): Promise<void> => {
  await logInToRegistries(plan, [{ host, credential: KEY }], neverUsed, makeContext())
}
const shown = (): unknown => JSON.parse(readFileSync(configPath(plan.directory), 'utf8'))

describe('a login that docker says it has made', () => {
  test.each([
    ['this login', basic(`iamapikey:${KEY.secret}`)],
    ['an identity token in place of the secret', { ...basic('iamapikey:'), identitytoken: 'opaque' }]
  ])('is kept where it is %s', async (_, entry) => {
    putDocker(entry)
    await login()
    expect(shown()).toEqual({ auths: { 'ghcr.io': { auth: 'bWU6cA==' }, [HOST]: entry } })
    expect(existsSync(plan.scratch)).toBe(false)
  })

  test.each([
    ['empty, as where docker chose a store by itself', {}],
    ['of another user', basic(`token:${KEY.secret}`)],
    ['of another secret', basic('iamapikey:other')],
    ['no user and secret at all', { auth: 'eHl6' }],
    ['of another user with an identity token', { ...basic('me:'), identitytoken: 'opaque' }]
  ])('is refused where it is %s, and nothing is left', async (_, entry) => {
    putDocker(entry)
    expect(await userError(login())).toContain('exited with code 0, but stored another credential.')
    expect(listing(plan.directory)).toEqual({ 'config.json': BEFORE })
    expect(existsSync(plan.scratch)).toBe(false)
  })
})

test('a folder for temporary files that is none is named', async () => {
  putDocker({})
  const file = join(makeFolder(), 'file')
  writeFileSync(file, '')
  plan = { ...plan, scratch: join(file, 'scratch') }
  expect(await userError(login())).toContain(`${plan.scratch} can't be written (`)
  expect(listing(plan.directory)).toEqual({ 'config.json': BEFORE })
})

test('what a job that died left in a credential helper is erased by the next job, whatever its host', async () => {
  putDocker(basic(`iamapikey:${KEY.secret}`))
  const helper = makeHelper()
  setVariables({ PATH: [helper.folder, process.env['PATH']].join(delimiter) })
  const path = configPath(plan.directory)
  writeFileSync(path, JSON.stringify({ credHelpers: { 'de.icr.io': helper.name } }))
  const { use } = await claimHelper(helper.name, { host: 'de.icr.io', credential: KEY, path }, makeContext())
  const longAgo = { ...makeContext(), now: () => Date.now() - 5 * DAY - 1000 }
  const dead = { loginId: 'deaddeaddeaddead', job: 'dead' }
  await addLogins(plan.directory, dead, [{ host: 'de.icr.io', entry: {}, helper: use }], longAgo)
  const ledger = join(plan.directory, 'icr-login.json')
  // As if the machine had been started anew since.
  writeFileSync(ledger, readFileSync(ledger, 'utf8').replace(/"machine":"[^"]*"/, '"machine":"before"'))
  helper.hold('de.icr.io', KEY.username, KEY.secret)
  await login()
  expect(helper.held()).toEqual({})
  expect(shown()).toMatchObject({ auths: { [HOST]: basic(`iamapikey:${KEY.secret}`) } })
})
