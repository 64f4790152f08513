// What docker's end and its words are taken for; a script stands in for it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { type DockerLogin, dockerLogin } from '../../../src/docker/cli.ts'
import { makeContext, type RecordingContext } from '../support/context.ts'
import { userError } from '../support/throwing.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'icr-login-docker-'))
})

afterEach(() => {
  rmSync(folder, { recursive: true })
})

/** A login with a docker that runs these lines of shell. */
function loginWith(...lines: string[]): DockerLogin {
  const docker = join(folder, 'docker')
  writeFileSync(docker, ['#!/bin/sh', ...lines, ''].join('\n'), { mode: 0o700 })
  const credential = { username: 'iamapikey', secret: 'Wr1tQm7vXk_2ZpLd9sHc' }
  return { docker, host: 'us.icr.io', credential, directory: join(folder, 'config'), helper: undefined }
}

const failing = (said: string): DockerLogin => loginWith(`cat >&2 <<'END'\n${said}\nEND`, 'exit 1')
const refusal = (login: DockerLogin, context: RecordingContext = makeContext()): Promise<string> =>
  userError(() => dockerLogin(login, context))

test.each([
  [
    'Error response from daemon: Get "https://us.icr.io/v2/": EOF',
    'could not be reached by docker login: EOF.'
  ],
  ['Get "https://us.icr.io/v2/": dial tcp: lookup us.icr.io: no such host', 'docker login: no such host.'],
  [
    'login attempt to https://us.icr.io/v2/ failed with status: 503 Service Unavailable',
    'failed with status: 503'
  ]
])('“%s” is tried again, and said', async (said, says) => {
  const context = makeContext()
  expect(await refusal(failing(said), context)).toContain(says)
  expect(context.infos.length).toBeGreaterThan(0)
  expect(context.sleeps).toHaveLength(context.infos.length)
})

test('a refusal that nobody has given yet is asked for again', async () => {
  const context = makeContext()
  const said = 'login attempt to https://us.icr.io/v2/ failed with status: 401 Unauthorized'
  expect(await refusal(failing(said), context)).toContain('us.icr.io refused the login as iamapikey')
  expect(context.infos[0]).toContain(
    'us.icr.io: its first answer asked for no secret. docker login again in '
  )
})

test.each([
  [
    'Get "https://us.icr.io/v2/": Proxy Authentication Required',
    'The proxy did not let docker login through'
  ],
  [
    'tls: failed to verify certificate: x509: unknown authority',
    'The certificate of us.icr.io is not trusted'
  ],
  ['', 'exited with code 1 and no output.'],
  ['time="now" level=info msg="x"\nWARNING! y', 'exited with code 1 and no output.'],
  [
    'denied: {"errors":[{"code":"A","message":"insufficient scope"}]}',
    'It said: denied: A: insufficient scope'
  ],
  ['denied: {nothing', 'It said: denied: {nothing'],
  ['something new', 'docker login for us.icr.io failed with exit code 1.'],
  ['/usr/bin/docker: 1: Syntax error: "(" unexpected', "the docker on the PATH can't run here."]
])('%j is said, and not tried again', async (said, says) => {
  const context = makeContext()
  expect(await refusal(failing(said), context)).toContain(says)
  expect(context.infos).toEqual([])
})

test('a docker that is ended is said to be', async () => {
  expect(await refusal(loginWith('kill -KILL $$'))).toContain('was ended (SIGKILL).')
})

test('a docker that takes too long is ended', async () => {
  expect(await refusal(loginWith('sleep 30'), makeContext({ budgetMs: 300 }))).toContain(
    'took longer than timeout allows.'
  )
})

test.each(['{"auths":{}}', '{"auths":7}', '{"auths":{"us.icr.io":"x"}}', '[]', 'x'])(
  'a docker that ends well and leaves %s has logged nobody in',
  async (config) => {
    const login = loginWith(`printf '%s' '${config}' > "$DOCKER_CONFIG/config.json"`)
    expect(await dockerLogin(login, makeContext())).toBeUndefined()
  }
)

test('a docker that leaves nothing at all has logged nobody in', async () => {
  expect(await dockerLogin(loginWith('rm "$DOCKER_CONFIG/config.json"'), makeContext())).toBeUndefined()
})

test('the entry that docker wrote is what it did', async () => {
  const entry = { auth: 'eDp5' }
  const config = JSON.stringify({ auths: { 'us.icr.io': entry } })
  const login = loginWith(`printf '%s' '${config}' > "$DOCKER_CONFIG/config.json"`)
  expect(await dockerLogin(login, makeContext())).toEqual(entry)
})

describe('a refusal of a credential that is still new', () => {
  const said = 'login attempt to https://us.icr.io/v2/ failed with status: 403 Forbidden'
  const refuseTimes = (count: number): DockerLogin =>
    loginWith(
      'cat > /dev/null',
      'cd "$(dirname "$0")"; echo >> calls',
      `if [ $(wc -l < calls) -gt ${count} ]; then exit 0; fi`,
      `echo '${said}' >&2; exit 1`
    )

  test('is retried until the registry knows the credential', async () => {
    const context = makeContext()
    await dockerLogin({ ...refuseTimes(5), settlesAt: context.now() + 10_000 }, context)
    expect(context.sleeps).toEqual(Array(5).fill(1_000))
    expect(context.infos[0]).toContain('us.icr.io: it does not know the new credential yet.')
  })

  test('fails once it should know it', async () => {
    const context = makeContext()
    const settlesAt = context.now() + 3_000
    expect(await refusal({ ...refuseTimes(99), settlesAt }, context)).toContain('refused the login')
    expect(context.now()).toBeLessThanOrEqual(settlesAt + 1_000)
    expect(context.sleeps.length).toBeGreaterThan(1)
  })

  test('fails at once where the credential is not new', async () => {
    const context = makeContext()
    await refusal(refuseTimes(1), context)
    expect(context.sleeps).toEqual([])
  })
})
