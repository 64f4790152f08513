// What goes wrong is said in one error that a person can act on, and never with the secret in it.
import { describe, expect, test } from '@jest/globals'
import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  PROFILE_CRN,
  PROFILE_NAME,
  PROFILE_ID,
  READER_KEY,
  WRITER_ID,
  WRITER_KEY
} from '../cloud/default-world.ts'
import { hangFault, statusFault } from '../cloud/faults.ts'
import type { Inputs, JobOptions, StepResult } from '../support/runner.ts'
import { causeOf, fixOf, headingsFor, servicesSections } from '../support/troubleshooting.ts'
import { expectFailure, expectNotSaid, expectSuccess } from './support/promises.ts'
import { authOf, testBothWays, useStage, writeConfig, type Way } from './support/stage.ts'

const stage = useStage()

/** A run that must be refused before docker is started or anything is sent. */
async function refuse(inputs: Inputs, options: JobOptions = {}): Promise<StepResult> {
  const docker = stage.newDocker()
  const job = await stage.newJob({ docker: docker.directory, ...options })
  const before = job.snapshot()
  const result = await job.main({ region: 'us-south', 'iam-url': stage.cloud.iamUrl, ...inputs })
  expect(docker.calls()).toEqual([])
  expect(stage.cloud.requests).toEqual([])
  expect(job.snapshot()).toEqual(before)
  const post = await job.post()
  expectSuccess(post)
  expect(post.log).toBe('')
  expect(job.snapshot()).toEqual(before)
  expect([result.errors, headingsFor(result.errors[0] ?? '')]).not.toEqual([result.errors, []])
  return result
}

describe('Exactly one secret:', () => {
  test('none is an error that names the inputs', async () => {
    const message = expectFailure(await refuse({}), 'No way to log in was given')
    for (const name of ['api-key', 'access-token', 'refresh-token', 'registry-token', 'trusted-profile'])
      expect(message).toContain(name)
    expect(message).toContain('${{ secrets.')
  })

  test('blanks alone are none', async () => {
    expectFailure(await refuse({ 'api-key': ' \n', 'access-token': '\t' }), 'No way to log in was given')
  })

  test('two are an error that names both, and neither is shown', async () => {
    const result = await refuse({ 'api-key': WRITER_KEY, 'refresh-token': 'a-refresh-token' })
    const message = expectFailure(result, 'api-key and refresh-token', WRITER_KEY, 'a-refresh-token')
    expect(message).toContain('exactly one')
  })

  test('in a job from a fork, the error says that secrets are not passed there', async () => {
    const event = {
      pull_request: {
        head: { repo: { full_name: 'someone/hello-world' } },
        base: { repo: { full_name: 'octocat/hello-world' } }
      }
    }
    const message = expectFailure(await refuse({ 'api-key': '' }, { event }), 'No way to log in was given')
    expect(message).toMatch(/no secrets to jobs of pull requests from forks/u)
    expect(message).toContain('if: github.event.pull_request.head.repo.full_name == github.repository')
  })

  test('a pull request from a branch of the same repository is no fork', async () => {
    const repo = { full_name: 'octocat/hello-world' }
    const event = { pull_request: { head: { repo }, base: { repo } } }
    expect(expectFailure(await refuse({}, { event }), 'No way to log in')).not.toContain('fork')
  })

  test('in a job of Dependabot’s, the error says where its secrets are kept', async () => {
    const result = await refuse({}, { env: { GITHUB_ACTOR: 'dependabot[bot]' } })
    expect(expectFailure(result, 'No way to log in')).toMatch(/Dependabot/u)
  })
})

describe('What people paste is mended:', () => {
  const mended: [string, (key: string) => string][] = [
    ['blanks and line ends around it', (key) => `  ${key}\t \r\n\n`],
    ['double quotes around it', (key) => `"${key}"`],
    ['single quotes and a line end around it', (key) => `'${key}'\n`],
    ['a quoted line with blanks inside the quotes', (key) => `" ${key} "`],
    [
      'the JSON file that IBM’s console downloads',
      (key) =>
        JSON.stringify(
          { name: 'ci', description: '', createdAt: '2025-01-01T00:00+0000', apikey: key },
          null,
          '\t'
        )
    ],
    ['the same file on one line', (key) => JSON.stringify({ apikey: key, name: 'ci' })]
  ]
  for (const [name, paste] of mended) {
    testBothWays(`an API key with ${name}`, async (docker) => {
      const job = await stage.newJob({ docker })
      const main = await job.main(stage.here({ 'api-key': paste(WRITER_KEY) }))
      expectSuccess(main)
      expectNotSaid(main, WRITER_KEY)
      expect(main.masks).toContain(WRITER_KEY)
      expect(job.dockerConfig()?.auths?.[stage.cloud.registryHost]).toEqual({
        auth: authOf('iamapikey', WRITER_KEY)
      })
      // A brace or a quote alone as a mask would make stars of every log that follows.
      for (const mask of main.masks) expect(mask.length).toBeGreaterThan(3)
    })
  }

  test.each(['Bearer ', 'bearer ', 'Bearer  ', '"Bearer '])('an access token after %o', async (prefix) => {
    const token = stage.cloud.accessToken(WRITER_ID)
    const job = await stage.newJob()
    const pasted = `${prefix}${token}${prefix.startsWith('"') ? '"' : ''}\n`
    const main = await job.main(stage.here({ 'access-token': pasted }))
    expectSuccess(main)
    expectNotSaid(main, token)
    expect(main.masks).toContain(token)
  })
})

describe('What people paste is refused by name:', () => {
  const refused: [string, () => Inputs, RegExp][] = [
    [
      'an access token as api-key',
      () => ({ 'api-key': stage.cloud.accessToken(WRITER_ID) }),
      /api-key.*access-token/su
    ],
    ['an API key as access-token', () => ({ 'access-token': WRITER_KEY }), /access-token.*api-key/su],
    [
      'a line break inside an API key',
      () => ({ 'api-key': `${WRITER_KEY}\n${READER_KEY}` }),
      /line break inside/u
    ],
    ['a carriage return inside', () => ({ 'refresh-token': `one-half\rother-half` }), /line break inside/u],
    [
      'a control character inside',
      () => ({ 'api-key': `${WRITER_KEY}\u0007x` }),
      /control character inside/u
    ],
    [
      'a wrapped access token',
      () => {
        const token = stage.cloud.accessToken(WRITER_ID)
        return { 'access-token': `${token.slice(0, 76)}\n${token.slice(76)}` }
      },
      /line break inside/u
    ],
    [
      'a key file as access-token',
      () => ({ 'access-token': JSON.stringify({ apikey: WRITER_KEY }) }),
      /holds JSON.*api-key/su
    ],
    [
      'a key file as registry-token',
      () => ({ 'registry-token': JSON.stringify({ apikey: WRITER_KEY }) }),
      /holds JSON/u
    ],
    [
      'a JSON file of something else',
      () => ({ 'api-key': '{"type":"service_account","private_key":"hush-hush"}' }),
      /without an "apikey"/u
    ],
    ['half a key file', () => ({ 'api-key': `{\n\t"apikey": "${WRITER_KEY}",` }), /holds JSON/u]
  ]
  test.each(refused)('%s', async (_, give, wanted) => {
    const inputs = give()
    const secrets = Object.values(inputs)
      .flatMap((value) => value.replace('\u0007', '\n').split(/[\n\r]/u))
      .filter((part) => part.length > 6)
    expectFailure(await refuse(inputs), wanted, ...secrets, WRITER_KEY, 'hush-hush')
  })

  test('an access token that has ended, with both clocks, for a clock may be wrong', async () => {
    const token = stage.cloud.accessToken(WRITER_ID, -3600)
    const message = expectFailure(await refuse({ 'access-token': token }), 'access-token ended at', token)
    const times = message.match(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/gu)?.map((time) => Date.parse(time)) ?? []
    expect(times).toHaveLength(2)
    const [end = 0, clock = 0] = times
    expect(clock - end).toBeGreaterThanOrEqual(3_600_000 - 1_000)
    expect(clock - end).toBeLessThan(3_600_000 + 20_000)
  })

  test('an access token that ends within a minute', async () => {
    const token = stage.cloud.accessToken(WRITER_ID, 45)
    expectFailure(await refuse({ 'access-token': token }), 'access-token ends at', token)
  })

  test.each([
    [
      'a token',
      { 'access-token': 'eyJ' },
      'trusted-profile',
      /trusted-profile does not go with access-token/u
    ],
    ['the profile’s name', { 'api-key': READER_KEY }, PROFILE_NAME, /holds a name.*Profile-/su],
    ['the profile’s CRN', { 'api-key': READER_KEY }, PROFILE_CRN, /holds a CRN.*Profile-/su]
  ] as [string, Inputs, string, RegExp][])(
    'a trusted profile with %s',
    async (_, inputs, profile, wanted) => {
      const given =
        inputs['access-token'] === undefined ? inputs : { 'access-token': stage.cloud.accessToken(WRITER_ID) }
      expectFailure(await refuse({ ...given, 'trusted-profile': profile }), wanted, ...Object.values(given))
    }
  )

  test.each([
    ['endpoint', 'vpn', /endpoint: "vpn" is none.*public, private, legacy/su],
    ['logout', 'no', /logout: "no" is neither true nor false/u],
    ['timeout', '60', /timeout: "60" is not a time/u],
    ['timeout', '0s', /timeout: "0s" is not a time/u],
    ['timeout', '2h', /timeout: "2h" is not a time/u],
    ['timeout', '-5s', /timeout: "-5s" is not a time/u],
    ['iam-url', 'https://iam.example.test', /iam-url: .* is not an address of IBM Cloud IAM/u],
    ['iam-url', 'http://iam.cloud.ibm.com', /iam-url: .* is not an address of IBM Cloud IAM/u]
  ])('%s: %s', async (name, value, wanted) => {
    expectFailure(await refuse({ 'api-key': WRITER_KEY, [name]: value }), wanted, WRITER_KEY)
  })

  test('what was typed can’t forge a command of the runner’s', async () => {
    const region = '##[add-mask]us\u2028::warning::x'
    const result = await refuse({ 'api-key': WRITER_KEY, region })
    expectFailure(result, 'region: ', WRITER_KEY)
    expect(result.masks).not.toContain('us')
    expect(result.warnings).toEqual([])
  })
})

describe('What the registry refuses is said in IBM’s terms:', () => {
  const refusals: [string, (inputs: Inputs) => Inputs, RegExp][] = [
    [
      'a wrong key',
      (inputs) => ({ ...inputs, 'api-key': `${WRITER_KEY}x` }),
      /The secret is wrong for this registry.*Check the secret/su
    ],
    [
      'a disabled key',
      (inputs) => {
        Object.assign(stage.cloud.world.apiKeys.find(({ value }) => value === WRITER_KEY) ?? {}, {
          disabled: true
        })
        return inputs
      },
      /the key may be disabled or locked/u
    ],
    [
      'a deleted key',
      (inputs) => {
        stage.cloud.world.apiKeys = []
        return inputs
      },
      /The secret is wrong for this registry/u
    ],
    [
      'a wrong region',
      (inputs) => {
        for (const policy of stage.cloud.world.policies) policy.region = 'eu-de'
        return inputs
      },
      /wrong region.*ibmcloud cr region/su
    ],
    [
      'a private-only account',
      (inputs) => {
        Object.assign(stage.cloud.world.accounts[0] ?? {}, { privateOnly: true })
        return inputs
      },
      /private network alone.*endpoint: private/su
    ],
    [
      'an IP rule',
      (inputs) => {
        Object.assign(stage.cloud.world.accounts[0] ?? {}, { allowedIps: ['192.0.2.1'] })
        return inputs
      },
      /IP rule/u
    ],
    [
      'an account that is not active',
      (inputs) => {
        Object.assign(stage.cloud.world.accounts[0] ?? {}, { active: false })
        return inputs
      },
      /account is not active/u
    ],
    [
      'a registry token',
      (inputs) => {
        const { value } = stage.cloud.world.addRegistryToken({ region: 'us-south' })
        return { ...inputs, 'api-key': '', 'registry-token': value }
      },
      /refused the login as token/u
    ],
    [
      'a refresh token that has ended',
      (inputs) => {
        const secret = stage.cloud.refreshToken(WRITER_ID)
        stage.cloud.world.ahead = 80 * 3600
        return { ...inputs, 'api-key': '', 'refresh-token': secret }
      },
      /refused the login as iamrefresh/u
    ],
    [
      'an access token that has ended by IBM’s clock',
      (inputs) => {
        const secret = stage.cloud.accessToken(WRITER_ID)
        stage.cloud.world.ahead = 2 * 3600
        return { ...inputs, 'api-key': '', 'access-token': secret }
      },
      /a token has ended/u
    ],
    [
      'a profile that does not trust the key',
      (inputs) => ({ ...inputs, 'trusted-profile': PROFILE_ID.replace('9c4d', '0000') }),
      /refused the login as Profile-0000/u
    ]
  ]
  for (const [name, arrange, wanted] of refusals) {
    testBothWays(name, async (docker) => {
      const job = await stage.newJob({ docker })
      const inputs = arrange(stage.here({ 'api-key': WRITER_KEY }))
      const secret =
        [inputs['api-key'], inputs['refresh-token'], inputs['access-token'], inputs['registry-token']].find(
          Boolean
        ) ?? ''
      const message = expectFailure(await job.main(inputs), wanted, secret)
      expect(message).toContain(`${stage.cloud.registryHost} refused the login as `)
      expect(message).toContain('It said: ')
      expect(job.snapshot()).toEqual({})
      // A refused credential is asked once: more could lock it.
      expect(stage.cloud.requests.filter(({ path }) => path === '/oauth/token')).toHaveLength(1)
      expectSuccess(await job.post())
      expect(job.snapshot()).toEqual({})
    })
  }

  /** The status and the body of an answer with this message. */
  function answerWith(text: string): [number, string] {
    const [, word = 'unauthorized', message = text] =
      /^(unauthorized|denied|UNSUPPORTED): (.*)$/u.exec(text) ?? []
    // docker leaves out a message that is the usual one of its code, hence the full stop.
    const errors = [{ code: word.toUpperCase(), message: `${message.replace('…', 'x')}.` }]
    return [word === 'denied' ? 403 : 401, JSON.stringify({ errors })]
  }

  async function refuseWith(text: string, docker: Way): Promise<string> {
    const [status, body] = answerWith(text)
    const fault = statusFault(status, { 'content-type': 'application/json' }, body)
    stage.cloud.faults.push({ service: 'registry', path: '/oauth/token', fault })
    const job = await stage.newJob({ docker })
    return expectFailure(
      await job.main(stage.here({ 'api-key': WRITER_KEY })),
      'refused the login',
      WRITER_KEY
    )
  }

  for (const section of servicesSections) {
    const [text = ''] = section.messages
    testBothWays(`“${text}” comes with the cause and the fix of docs/troubleshooting.md`, async (docker) => {
      const lines = (await refuseWith(text, docker)).split('\n')
      expect([lines, lines[0]]).toEqual([lines, expect.stringContaining(`: ${causeOf(section) ?? ''}`)])
      expect(lines.at(-1)).toBe(fixOf(section))
    })
  }

  testBothWays('a message that is not known is given no meaning', async (docker) => {
    expect(await refuseWith('No.', docker)).toContain('The credential was refused')
  })

  testBothWays('and an answer that repeats the secret is not shown', async (docker) => {
    const body = JSON.stringify({
      errors: [{ code: 'UNAUTHORIZED', message: `No key ${WRITER_KEY.slice(3, 20)}` }]
    })
    const headers = { 'content-type': 'application/json' }
    stage.cloud.faults.push({
      service: 'registry',
      path: '/oauth/token',
      fault: statusFault(401, headers, body)
    })
    const job = await stage.newJob({ docker })
    const main = await job.main(stage.here({ 'api-key': WRITER_KEY }))
    expectFailure(main, 'not shown: the answer repeats the secret', WRITER_KEY, WRITER_KEY.slice(3, 20))
  })
})

testBothWays('A registry that says yes to everybody is not believed', async (docker) => {
  stage.cloud.faults.push({ service: 'registry', path: '/v2/', fault: statusFault(200) })
  const job = await stage.newJob({ docker })
  const main = await job.main(stage.here({ 'api-key': 'a-wrong-key' }))
  // docker believes it, and nothing was lost by it: no secret is sent to a registry that asks for none.
  if (docker === 'real') expect(main.exitCode).toBe(0)
  else expectFailure(main, 'does not answer like a registry of IBM Cloud', 'a-wrong-key')
})

test('Without docker, a realm elsewhere is not given the secret', async () => {
  const { host: elsewhere } = await stage.cloud.addRegistry({ region: 'eu-de' })
  const headers = { 'www-authenticate': `Bearer realm="http://${elsewhere}/oauth/token",service="registry"` }
  stage.cloud.faults.push({ service: 'registry', path: '/v2/', fault: statusFault(401, headers) })
  const job = await stage.newJob()
  const main = await job.main(stage.here({ 'api-key': WRITER_KEY }))
  expectFailure(main, 'asks for the secret to be sent elsewhere', WRITER_KEY)
  expect(stage.cloud.requests.map(({ path }) => path)).toEqual(['/v2/'])
})

test('Without docker, a redirect is not followed with the secret', async () => {
  const { host: elsewhere } = await stage.cloud.addRegistry({ region: 'eu-de' })
  const headers = { location: `http://${elsewhere}/oauth/token` }
  stage.cloud.faults.push({ service: 'registry', path: '/oauth/token', fault: statusFault(307, headers) })
  const job = await stage.newJob()
  expectFailure(await job.main(stage.here({ 'api-key': WRITER_KEY })), 'a redirect', WRITER_KEY)
  expect(stage.cloud.requests.every(({ host }) => host !== elsewhere)).toBe(true)
})

describe('A config.json that docker could not read either', () => {
  const broken: [string, string | Buffer, RegExp][] = [
    ['is cut short', '{"auths":{"a.example.test":{"auth":"YTpi"}', /it is not JSON/u],
    ['begins with a byte order mark', '\ufeff{"auths":{}}', /byte order mark/u],
    ['is UTF-16', Buffer.from('\ufeff{"auths":{}}', 'utf16le'), /not UTF-8/u],
    ['is a list', '[]', /not a JSON object/u],
    ['is a word', '"auths"', /not a JSON object/u],
    ['has a comment', '{\n// mine\n"auths":{}}', /it is not JSON/u],
    ['has a list of auths', '{"auths":[]}', /auths is not an object/u],
    ['has a word for credHelpers', '{"credHelpers":"pass"}', /credHelpers is not an object/u]
  ]
  test.each(broken)(
    'that %s is refused before docker is started, and left byte for byte',
    async (_, bytes, wanted) => {
      const docker = stage.newDocker()
      const job = await stage.newJob({ docker: docker.directory })
      const file = writeConfig(job.home, bytes, 0o644)
      const before = job.snapshot()
      const main = await job.main({ region: 'us-south', 'api-key': WRITER_KEY })
      const message = expectFailure(main, wanted, WRITER_KEY)
      expect(message).toContain(file)
      expect(docker.calls()).toEqual([])
      await job.post()
      expect(readFileSync(file)).toEqual(Buffer.from(bytes))
      expect(job.snapshot()).toEqual(before)
    }
  )

  test('because it is a folder is refused', async () => {
    const docker = stage.newDocker()
    const job = await stage.newJob({ docker: docker.directory })
    mkdirSync(join(job.home, '.docker', 'config.json'), { recursive: true })
    const main = await job.main({ region: 'us-south', 'api-key': WRITER_KEY })
    expectFailure(main, "config.json can't be used: it is not a file", WRITER_KEY)
    expect(docker.calls()).toEqual([])
  })
})

describe('A place for config.json that can’t be written', () => {
  test('because it lies below a file is an error that names it', async () => {
    const docker = stage.newDocker()
    const folder = stage.newFolder()
    writeFileSync(join(folder, 'a-file'), '')
    const env = { DOCKER_CONFIG: join(folder, 'a-file', 'docker') }
    const job = await stage.newJob({ docker: docker.directory, env })
    const main = await job.main({ region: 'us-south', 'api-key': WRITER_KEY })
    expect(expectFailure(main, "can't be read (ENOTDIR)", WRITER_KEY)).toContain(env.DOCKER_CONFIG)
    expectSuccess(await job.post())
  })

  test('because it is a link to nowhere is an error that names it, and the cure', async () => {
    const docker = stage.newDocker()
    const job = await stage.newJob({ docker: docker.directory })
    const folder = join(job.home, '.docker')
    symlinkSync(join(job.home, 'nowhere'), folder)
    const before = job.snapshot()
    const main = await job.main({ region: 'us-south', 'api-key': WRITER_KEY })
    const message = expectFailure(main, `${folder} can't be written`, WRITER_KEY)
    expect(message).toContain('DOCKER_CONFIG')
    expect(job.snapshot(job.temp)).toEqual({})
    const post = await job.post()
    expectSuccess(post)
    expect(job.snapshot()).toEqual(before)
  })

  const asRoot = process.getuid?.() === 0
  ;(asRoot ? test.skip : test)(
    'because the folder is read-only is an error, and post has nothing to add',
    async () => {
      const docker = stage.newDocker()
      const job = await stage.newJob({ docker: docker.directory })
      writeConfig(job.home, '{}')
      chmodSync(join(job.home, '.docker'), 0o555)
      const main = await job.main({ region: 'us-south', 'api-key': WRITER_KEY })
      expectFailure(main, "can't be written (EACCES)", WRITER_KEY)
      await job.post()
      chmodSync(join(job.home, '.docker'), 0o755)
      expect(readFileSync(join(job.home, '.docker', 'config.json'), 'utf8')).toBe('{}')
    }
  )
})

testBothWays('Nothing is left in the runner’s temporary folder by a login that failed', async (docker) => {
  const job = await stage.newJob({ docker })
  expectFailure(await job.main(stage.here({ 'api-key': 'wrong' })), 'refused')
  expect(job.snapshot(job.temp)).toEqual({})
})

testBothWays('A registry that is not there is said to be so', async (docker) => {
  const job = await stage.newJob({ docker })
  const main = await job.main({ 'api-key': WRITER_KEY, registry: '127.0.0.1:9', timeout: '10s' })
  const message = expectFailure(main, '127.0.0.1:9', WRITER_KEY)
  expect(message).toMatch(/could not be reached/u)
})

testBothWays('A home that is not there yet is made, and is gone again', async (docker) => {
  const home = join(stage.newFolder(), 'not', 'yet')
  const job = await stage.newJob({ docker, home })
  const main = await job.main(stage.here({ 'api-key': WRITER_KEY }))
  expectSuccess(main)
  expectSuccess(await job.post())
  expect(existsSync(join(home, '.docker'))).toBe(false)
})

test('A registry that never answers is given up in time, and the error says so', async () => {
  stage.cloud.faults.push({ service: 'registry', fault: hangFault() })
  const job = await stage.newJob()
  const began = Date.now()
  const main = await job.main(stage.here({ 'api-key': WRITER_KEY, timeout: '2s' }))
  expectFailure(main, /did not answer in time|timeout/u, WRITER_KEY)
  expect(Date.now() - began).toBeLessThan(4_000)
})
