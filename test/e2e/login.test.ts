// A secret goes in; the login is there for the job, and gone after it.
import { describe, expect, test } from '@jest/globals'
import { chmodSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PROFILE_ID, READER_KEY, USER_KEY, WRITER_ID, WRITER_KEY } from '../cloud/default-world.ts'
import { requestsWith } from '../cloud/recorder.ts'
import type { Inputs, Job } from '../support/runner.ts'
import { expectNotSaid, expectSuccess, filesWith } from './support/promises.ts'
import { authOf, readText, testBothWays, useStage, writeConfig, type Stage } from './support/stage.ts'

const stage = useStage({ registry: { registryTokens: true } })

interface Given {
  inputs: Inputs
  secret: string
  username: string
  /** When the credential ends, in seconds since 1970. */
  end?: number
}

/** Where the claims of a JWT say it ends. */
function endOf(token: string): number {
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { exp: number }
  return claims.exp
}

const isoTime = (seconds: number): string => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')

const ways: [string, (stage: Stage) => Given][] = [
  [
    'an API key of a service ID',
    () => ({ inputs: { 'api-key': WRITER_KEY }, secret: WRITER_KEY, username: 'iamapikey' })
  ],
  [
    'an API key of a user',
    () => ({ inputs: { 'api-key': USER_KEY }, secret: USER_KEY, username: 'iamapikey' })
  ],
  [
    'an access token',
    ({ cloud }) => {
      const secret = cloud.accessToken(WRITER_ID)
      return { inputs: { 'access-token': secret }, secret, username: 'iambearer', end: endOf(secret) }
    }
  ],
  [
    'a refresh token',
    ({ cloud }) => {
      const secret = cloud.refreshToken(WRITER_ID)
      return { inputs: { 'refresh-token': secret }, secret, username: 'iamrefresh' }
    }
  ],
  [
    'a registry token, where a registry still takes one',
    ({ cloud }) => {
      const secret = cloud.world.addRegistryToken({ region: 'us-south' }).value
      return { inputs: { 'registry-token': secret }, secret, username: 'token', end: endOf(secret) }
    }
  ],
  [
    'a registry token that never ends',
    ({ cloud }) => {
      const secret = cloud.world.addRegistryToken({ region: 'us-south', expiresAt: undefined }).value
      return { inputs: { 'registry-token': secret }, secret, username: 'token' }
    }
  ],
  [
    'a trusted profile and the API key of a service ID',
    () => ({
      inputs: { 'api-key': READER_KEY, 'trusted-profile': PROFILE_ID },
      secret: READER_KEY,
      username: PROFILE_ID
    })
  ],
  [
    'a trusted profile by its IAM ID',
    () => ({
      inputs: { 'api-key': READER_KEY, 'trusted-profile': `iam-${PROFILE_ID}` },
      secret: READER_KEY,
      username: PROFILE_ID
    })
  ]
]

/** The registry's own word that what lies in config.json logs in. */
async function statusOfLogin(job: Job, host: string): Promise<number> {
  const auth = String(job.dockerConfig()?.auths?.[host]?.['auth'])
  const answer = await fetch(`http://${host}/oauth/token?service=registry`, {
    headers: { authorization: `Basic ${auth}` }
  })
  return answer.status
}

describe.each(ways)('%s', (name, give) => {
  testBothWays('logs in for the job, and the machine is as it was after it', async (docker) => {
    const { inputs, secret, username, end } = give(stage)
    const host = stage.cloud.registryHost
    const job = await stage.newJob({ docker })
    const before = [job.snapshot(), job.snapshot(job.temp)]

    const main = await job.main(stage.here(inputs))
    expectSuccess(main, name.startsWith('a registry token') ? ['19 August 2021'] : [])
    expect(main.outputs).toEqual({
      registry: host,
      registries: JSON.stringify([host]),
      username,
      password: '',
      'token-id': '',
      access: '',
      'expires-at': end === undefined ? '' : isoTime(end),
      'docker-config': join(job.home, '.docker')
    })
    expect(job.dockerConfig()).toEqual({ auths: { [host]: { auth: authOf(username, secret) } } })
    expect(await statusOfLogin(job, host)).toBe(200)
    expect(statSync(join(job.home, '.docker', 'config.json')).mode & 0o777).toBe(0o600)
    expect(statSync(join(job.home, '.docker')).mode & 0o777).toBe(0o700)

    const post = await job.post()
    expectSuccess(post)
    expect(post.log).toBe(`${host}: logged out.\n`)
    expect([job.snapshot(), job.snapshot(job.temp)]).toEqual(before)
  })

  testBothWays('is masked before anything else happens, and lies in config.json alone', async (docker) => {
    const { inputs, secret, username } = give(stage)
    const job = await stage.newJob({ docker })
    const main = await job.main(stage.here(inputs))
    expectNotSaid(main, secret)
    const masks = main.events.findIndex((event) => event.kind === 'line')
    const first = main.events.slice(0, masks).map((event) => (event.kind === 'command' ? event.value : ''))
    expect(first).toEqual(expect.arrayContaining([secret, authOf(username, secret)]))
    // The ledger must know which entry is ours: it is as private as config.json.
    const folder = join(job.home, '.docker')
    expect(filesWith(job, secret)).toEqual([join(folder, 'config.json'), join(folder, 'icr-login.json')])
    const post = await job.post()
    expectNotSaid(post, secret)
    expect(filesWith(job, secret)).toEqual([])
    expect(requestsWith(stage.cloud.requests, secret).map(({ service }) => service)).toEqual(['registry'])
  })
})

testBothWays('The job’s page says where, as whom, until when, and what is cleaned up', async (docker) => {
  const token = stage.cloud.accessToken(WRITER_ID)
  const job = await stage.newJob({ docker })
  const main = await job.main(stage.here({ 'access-token': token }))
  const cells = [...main.summary.matchAll(/<th>(.*?)<\/th><td>(.*?)<\/td>/gu)].map(([, name, cell]) => [
    name,
    cell
  ])
  expect(cells).toEqual([
    ['Registry', `<code>${stage.cloud.registryHost}</code>`],
    ['User name', '<code>iambearer</code>'],
    ['Ends', isoTime(endOf(token))],
    ['Kept in', `<code>${join(job.home, '.docker/config.json')}</code>`],
    ['After the job', 'the login is taken out again']
  ])
  const post = await job.post()
  expect(post.summary).toContain(`<td>${stage.cloud.registryHost}: logged out.</td>`)
})

testBothWays('A summary that can’t be written spoils nothing', async (docker) => {
  const job = await stage.newJob({ docker })
  const preload = join(stage.newFolder(), 'no-summary.mjs')
  // As where the runner's folder is not there: only inside the step, which sees the variable last.
  writeFileSync(preload, `process.env.GITHUB_STEP_SUMMARY = '/dev/null/summary'\n`)
  const env = { NODE_OPTIONS: `--import ${preload}` }
  expectSuccess(await job.main(stage.here({ 'api-key': WRITER_KEY }), { env }))
  expectSuccess(await job.post({ env }))
})

testBothWays('The log says which way the login was made', async (docker) => {
  const job = await stage.newJob({ docker })
  const { log } = await job.main(stage.here({ 'api-key': WRITER_KEY }))
  expect(log).toMatch(docker === 'real' ? /^Logging in with \/.*\/docker\.$/mu : /^No docker on the PATH: /mu)
})

testBothWays('Registries that give identity tokens are logged in to, too', async (docker) => {
  const { host } = await stage.cloud.addRegistry({ identityTokens: true })
  const job = await stage.newJob({ docker })
  const before = job.snapshot()
  const main = await job.main({ 'api-key': WRITER_KEY, registry: host })
  expectSuccess(main)
  const entry = job.dockerConfig()?.auths?.[host] ?? {}
  if (docker === 'real') {
    expect(entry['auth']).toBe(authOf('iamapikey', ''))
    expect(main.masks).toContain(entry['identitytoken'])
  } else expect(entry).toEqual({ auth: authOf('iamapikey', WRITER_KEY) })
  expectSuccess(await job.post())
  expect(job.snapshot()).toEqual(before)
})

describe('What the user keeps in config.json', () => {
  const others = (host: string): string => `{
	"HttpHeaders": {
		"X-Meta": "a\\u003cb\\u0026c\\/d \\ud83d\\udc33 é"
	},
	"auths": {
		"registry.example.test": {
			"auth": "bWU6c2VjcmV0"
		},
		"${host}": {
			"auth": "b2xkOm9sZA==",
			"email": "dev@example.test"
		},
		"https://index.docker.io/v1/": {}
	},
	"credHelpers": {
		"other.example.test": "other"
	},
	"aBigNumber": 12345678901234567890,
	"detachKeys": "ctrl-e,e",
	"plugins": {"-x-cli-hints": {"enabled":"true"} },
	"aFraction": 1.50
}
`

  testBothWays('comes back byte for byte, the host’s own entry too', async (docker) => {
    const host = stage.cloud.registryHost
    const job = await stage.newJob({ docker })
    const file = writeConfig(job.home, others(host))
    const before = job.snapshot()

    expectSuccess(await job.main(stage.here({ 'api-key': WRITER_KEY })))
    const entry = { auth: authOf('iamapikey', WRITER_KEY) }
    expect(job.dockerConfig()?.auths?.[host]).toEqual(entry)
    // While the job runs, the file is in docker's layout, and all but that one entry is what the user wrote.
    const { auths, ...rest } = JSON.parse(others(host)) as { auths: object }
    expect(job.dockerConfig()).toEqual({ ...rest, auths: { ...auths, [host]: entry } })

    const post = await job.post()
    expectSuccess(post)
    expect(post.log).toBe(`${host}: logged out; the login that was there before is back.\n`)
    expect(readText(file)).toBe(others(host))
    expect(job.snapshot()).toEqual(before)
  })

  const texts: [string, string][] = [
    ['an empty file', ''],
    ['a file of one blank line', '\n'],
    ['an empty object', '{}'],
    ['an empty object as docker writes it', '{}\n'],
    ['empty auths', '{"auths":{}}'],
    ['empty auths as docker writes them', '{\n\t"auths": {}\n}'],
    ['other keys, no auths', '{\n  "detachKeys": "ctrl-e,e"\n}\n'],
    ['one line', '{"auths":{"a.example.test":{"auth":"YTpi"}},"x":[1,2,{"y":"}"}]}'],
    [
      'Windows’ line ends',
      '{\r\n\t"auths": {\r\n\t\t"a.example.test": {\r\n\t\t\t"auth": "YTpi"\r\n\t\t}\r\n\t}\r\n}\r\n'
    ],
    ['auths that come last', '{\n\t"x": 1,\n\t"auths": {\n\t\t"a.example.test": {}\n\t}\n}']
  ]
  test.each(texts)('%s comes back byte for byte', async (_, text) => {
    const job = await stage.newJob()
    const file = writeConfig(job.home, text)
    const before = job.snapshot()
    expectSuccess(await job.main(stage.here({ 'api-key': WRITER_KEY })))
    expect(job.dockerConfig()?.auths?.[stage.cloud.registryHost]).toEqual({
      auth: authOf('iamapikey', WRITER_KEY)
    })
    expectSuccess(await job.post())
    expect(readText(file)).toBe(text)
    expect(job.snapshot()).toEqual(before)
  })

  testBothWays(
    'is not for others to read during the job, and has its mode again after it',
    async (docker) => {
      const job = await stage.newJob({ docker })
      const file = writeConfig(job.home, others('a.example.test'))
      chmodSync(file, 0o644)
      expectSuccess(await job.main(stage.here({ 'api-key': WRITER_KEY })))
      expect(statSync(file).mode & 0o777).toBe(0o600)
      expectSuccess(await job.post())
      expect(statSync(file).mode & 0o777).toBe(0o644)
      expect(readText(file)).toBe(others('a.example.test'))
    }
  )

  testBothWays('may be a link, which stays one', async (docker) => {
    const job = await stage.newJob({ docker })
    const elsewhere = join(stage.newFolder(), 'docker.json')
    const file = writeConfig(job.home, '')
    writeFileSync(elsewhere, others('a.example.test'), { mode: 0o600 })
    rmSync(file)
    symlinkSync(elsewhere, file)
    const before = job.snapshot()
    expectSuccess(await job.main(stage.here({ 'api-key': WRITER_KEY })))
    expect(readText(elsewhere)).toContain(authOf('iamapikey', WRITER_KEY))
    expectSuccess(await job.post())
    expect(readText(elsewhere)).toBe(others('a.example.test'))
    expect(job.snapshot()).toEqual(before)
  })
})

testBothWays('logout: false leaves the login, says so, and until when it lasts', async (docker) => {
  const token = stage.cloud.accessToken(WRITER_ID)
  const job = await stage.newJob({ docker })
  const main = await job.main(stage.here({ 'access-token': token, logout: 'false' }))
  expectSuccess(main)
  expect(main.summary).toContain('the login stays (<code>logout: false</code>)')
  const during = job.dockerConfig()
  const post = await job.post()
  expectSuccess(post)
  expect(post.log).toContain(`logout: false: the login to ${stage.cloud.registryHost} stays`)
  expect(post.log).toContain(`It ends ${isoTime(endOf(token))}.`)
  expect(job.dockerConfig()).toEqual(during)
  expect(Object.keys(job.snapshot())).toEqual(['.docker', '.docker/config.json'])
})
