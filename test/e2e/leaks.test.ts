// No secret gets out: not into the log, an output, state or the summary; not into a command line or an environment; not
// to a server that it isn't meant for; not into a file that is left behind. In none of 24 forms, and not in pieces.
import { afterAll, describe, expect, test } from '@jest/globals'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  OPERATOR_KEY,
  PROFILE_ID,
  READER_ID,
  READER_KEY,
  REPOSITORY,
  WRITER_ID,
  WRITER_KEY
} from '../cloud/default-world.ts'
import { holdFault, statusFault, type Fault } from '../cloud/faults.ts'
import { signHs256 } from '../cloud/jwt.ts'
import type { ServiceName } from '../cloud/recorder.ts'
import { findUnmasked, LeakScan, maskedSecrets, type Leak, type WatchedSecret } from '../support/leak-scan.ts'
import { missingPrograms } from '../support/programs.ts'
import type { DockerAnswer } from '../support/recording-docker.ts'
import type { Environment, Inputs, Job, JobOptions, StepResult } from '../support/runner.ts'
import { FORM_NAMES, makeSecret, writeForms, type FormName } from '../support/secrets.ts'
import { makeHelper, type StandInHelper } from './support/credential-helper.ts'
import { mintInputs } from './support/mint.ts'
import { useStage, writeConfig } from './support/stage.ts'

const stage = useStage({ registry: { registryTokens: true } })

type Docker = 'recording' | 'real' | 'none'

/** Where a secret may be. */
const AT = {
  login: /^header authorization of request registry GET \/oauth\/token$/u,
  registry: /^header authorization of request registry GET \/v2\//u,
  iam: /^body of request iam POST \/identity\/token$/u,
  keys: /^header authorization of request iam (?:GET|POST|DELETE) \/v1\/apikeys/u,
  tokens: /^header authorization of request registry (?:GET|POST|DELETE) \/api\/v1\/tokens/u,
  metadata: /^header authorization of request metadata POST /u,
  proxy: /^header proxy-authorization of request proxy CONNECT |^env HTTPS_PROXY of docker$/u,
  config: /^file HOME\/\.docker\/(?:config|icr-login)\.json during the job$/u,
  kept: /^file HOME\/\.docker\/config\.json after the job$/u,
  helper: /^input of the helper$/u,
  output: /^outputs password of main$/u
} as const

/** A secret that logs in as it was given. */
const LOGS_IN = [AT.login, AT.config]

function watch(name: string, value: string, ...may: RegExp[]): WatchedSecret {
  return { ...makeSecret(name, value), may }
}

interface Scene {
  inputs: Inputs
  secrets: WatchedSecret[]
  /** What the step does; well where not given. */
  ends?: 'badly' | 'killed'
  job?: JobOptions
  env?: Environment
  answers?: DockerAnswer[]
  helper?: StandInHelper
  /** Between the job's start and main. */
  before?: (job: Job) => void
  /** Between main and post. */
  between?: () => void
  /** Ends main. */
  signal?: AbortSignal
}

/** What a credential may be used for that was made on the way. */
function mayOfMask(mask: string, main: StepResult): RegExp[] {
  if (mask === main.outputs['password']) return [AT.login, AT.registry, AT.config, AT.output]
  // IAM's tokens and the registry's; what docker was given in place of the secret; a key that was minted in vain.
  if (mask.startsWith('eyJ')) return [AT.iam, AT.keys, AT.tokens, AT.login, AT.registry, AT.metadata]
  return main.exitCode === 0 ? [AT.metadata, AT.config] : [AT.login]
}

let texts = 0
let characters = 0
let jobs = 0

afterAll(() => {
  process.stderr.write(`Scanned for leaks: ${jobs} jobs, ${texts} texts, ${characters} characters.\n`)
})

interface Searched {
  leaks: Leak[]
  unmasked: string[]
  main: StepResult
  post: StepResult
}

async function searchJob(scene: Scene, docker: Docker, env: Environment): Promise<Searched> {
  const { inputs, secrets, helper, signal } = scene
  const recording = docker === 'recording' ? stage.newDocker(scene.answers) : undefined
  const job = await stage.newJob({
    docker: recording?.directory ?? docker,
    ...scene.job,
    env: { ...scene.job?.env, ...scene.env, ...env }
  })
  scene.before?.(job)
  const scan = new LeakScan()
  const main = await job.main(inputs, signal === undefined ? {} : { signal, how: 'kill' })
  scan.addStep('main', main)
  if (scene.ends !== 'killed') scan.addFiles('during the job', job)
  scene.between?.()
  const post = await job.post()
  scan.addStep('post', post)
  scan.addFiles('after the job', job)
  scan.addProcesses(
    (recording?.calls() ?? []).map(({ argv, env: given }) => ({ program: 'docker', argv, env: given }))
  )
  scan.addProcesses(
    (helper?.calls() ?? []).map(({ verb, env: given }) => ({ program: 'helper', argv: [verb], env: given }))
  )
  scan.addRequests(stage.cloud.requests)
  const watched = [...secrets, ...maskedSecrets([main, post], secrets, (mask) => mayOfMask(mask, main))]
  jobs += 1
  texts += scan.size.texts
  characters += scan.size.characters
  const names = secrets.filter(({ name }) => name !== 'proxy password').map(({ name }) => name)
  return { leaks: scan.leaks(watched), unmasked: findUnmasked(main, secrets, names), main, post }
}

/** Runs a scene with and without the runner's debug mode, side by side. */
async function expectNoLeak(scene: Scene, docker: Docker): Promise<void> {
  const debugged = [{}, { RUNNER_DEBUG: '1', ACTIONS_STEP_DEBUG: 'true' }]
  const shared = scene.signal !== undefined || scene.helper !== undefined || scene.between !== undefined
  for (const results of await Promise.all(
    (shared ? debugged.slice(1) : debugged).map((env) => searchJob(scene, docker, env))
  )) {
    const { leaks, unmasked, main } = results
    expect({ leaks, unmasked }).toEqual({ leaks: [], unmasked: [] })
    const wanted = { well: 0, badly: 1, killed: null }[scene.ends ?? 'well']
    if (main.exitCode !== wanted) throw new Error(`exit code ${main.exitCode ?? 'none'}\n${main.stdout}`)
  }
}

const ALL: Docker[] = ['recording', 'real', 'none']
const OURS: Docker[] = ['recording', 'none']

type Row = [name: string, dockers: Docker[], scene: () => Scene | Promise<Scene>]

function given(kind: string, value: string, pasted = value, more: Inputs = {}): Scene {
  return { inputs: stage.here({ [kind]: pasted, ...more }), secrets: [watch(kind, value, ...LOGS_IN)] }
}

const keyFile = JSON.stringify({ name: 'ci', description: '', apikey: WRITER_KEY }, null, '\t')

const logins: Row[] = [
  ['an API key', ALL, () => given('api-key', WRITER_KEY)],
  [
    'an API key with blanks and quotes around it',
    OURS,
    () => given('api-key', WRITER_KEY, ` "${WRITER_KEY}"\r\n`)
  ],
  ['an API key in the file that the console downloads', OURS, () => given('api-key', WRITER_KEY, keyFile)],
  ['an access token', ALL, () => given('access-token', stage.cloud.accessToken(WRITER_ID))],
  [
    'an access token after Bearer',
    ['none'],
    () => {
      const token = stage.cloud.accessToken(WRITER_ID)
      return given('access-token', token, `Bearer ${token}\n`)
    }
  ],
  ['a refresh token', ALL, () => given('refresh-token', stage.cloud.refreshToken(WRITER_ID))],
  [
    'a registry token',
    ALL,
    () => given('registry-token', stage.cloud.world.addRegistryToken({ region: 'us-south' }).value)
  ],
  [
    'an API key and a trusted profile',
    ALL,
    () => given('api-key', READER_KEY, READER_KEY, { 'trusted-profile': PROFILE_ID })
  ],
  [
    'a login that stays',
    OURS,
    () => ({
      inputs: stage.here({ 'api-key': WRITER_KEY, logout: 'false' }),
      secrets: [watch('api-key', WRITER_KEY, ...LOGS_IN, AT.kept)]
    })
  ],
  [
    'a registry that gives identity tokens',
    ['real'],
    async () => {
      const { host } = await stage.cloud.addRegistry({ identityTokens: true })
      return given('api-key', WRITER_KEY, WRITER_KEY, { registry: host })
    }
  ],
  [
    'two registries',
    OURS,
    async () => {
      const { host } = await stage.cloud.addRegistry({ region: 'eu-de' })
      return given('api-key', WRITER_KEY, WRITER_KEY, { registry: `${host} ${stage.cloud.registryHost}` })
    }
  ],
  ['a proxy with a password', ['real', 'none'], behindProxy],
  ['a credential helper', ALL, () => withHelper()],
  [
    'an environment in which the secret is, too',
    OURS,
    () => ({
      ...given('api-key', WRITER_KEY),
      env: { IBM_CLOUD_API_KEY: WRITER_KEY, LC_ALL: `C.${WRITER_KEY}`, INPUT_PASSWORD: WRITER_KEY }
    })
  ]
]

async function behindProxy(): Promise<Scene> {
  const password = 'pRx7 W4kQz9/LmT2@vB5'
  const { url, caPem } = await stage.cloud.startProxy({ user: 'proxy-user', password })
  const ca = join(stage.newFolder(), 'ca.pem')
  writeFileSync(ca, caPem)
  return {
    inputs: { 'api-key': WRITER_KEY, region: 'us-south' },
    secrets: [watch('api-key', WRITER_KEY, ...LOGS_IN), watch('proxy password', password, AT.proxy)],
    env: {
      HTTPS_PROXY: url.replace('http://', `http://proxy-user:${encodeURIComponent(password)}@`),
      SSL_CERT_FILE: ca,
      NODE_EXTRA_CA_CERTS: ca
    }
  }
}

function withHelper(broken?: 'get' | 'store' | 'erase', words = ''): Scene {
  const helper = makeHelper('safe')
  stage.closeLater(() => {
    helper.close()
  })
  if (broken !== undefined && broken !== 'erase') helper.breakOn(broken, words)
  return {
    inputs: stage.here({ 'api-key': WRITER_KEY }),
    secrets: [watch('api-key', WRITER_KEY, AT.login)],
    helper,
    job: { path: [helper.directory] },
    before: (job) => {
      writeConfig(job.home, JSON.stringify({ credHelpers: { [stage.cloud.registryHost]: 'safe' } }))
    },
    ...(broken === undefined || broken === 'erase' ? {} : { ends: 'badly' as const }),
    ...(broken === 'erase'
      ? {
          between: () => {
            helper.breakOn('erase', words)
          }
        }
      : {})
  }
}

const onIbmCloud = (): Environment => ({
  RUNNER_ENVIRONMENT: 'self-hosted',
  IBMCLOUD_CR_VPC_URL: stage.cloud.metadataUrl
})

/** The long-lived secret goes to IAM, and to the registry only for its own token; never to a file. */
const mints: Row[] = [
  [
    'mint: repository-token',
    ALL,
    () => ({
      inputs: stage.here(mintInputs('repository-token')),
      secrets: [watch('api-key', WRITER_KEY, AT.login)]
    })
  ],
  ...['iam-token', 'api-key', 'registry-token'].map((way): Row => [
    `mint: ${way}`,
    ALL,
    () => {
      const inputs = stage.here(mintInputs(way))
      return { inputs, secrets: [watch('api-key', inputs['api-key'] ?? '', AT.iam)] }
    }
  ]),
  [
    'mint: iam-token with an access token',
    OURS,
    () => {
      const token = stage.cloud.accessToken(WRITER_ID)
      return {
        inputs: stage.here({ 'access-token': token, 'trusted-profile': PROFILE_ID, mint: 'iam-token' }),
        secrets: [watch('access-token', token, AT.iam)]
      }
    }
  ],
  [
    'mint: repository-token with a refresh token',
    OURS,
    () => {
      const token = stage.cloud.refreshToken(WRITER_ID)
      return {
        inputs: stage.here({ 'refresh-token': token, mint: 'repository-token', repositories: REPOSITORY }),
        secrets: [watch('refresh-token', token, AT.login)]
      }
    }
  ],
  [
    'a trusted profile alone',
    ALL,
    () => ({ inputs: stage.here({ 'trusted-profile': PROFILE_ID }), secrets: [], env: onIbmCloud() })
  ],
  [
    'a trusted profile alone, with mint: api-key',
    OURS,
    () => {
      stage.cloud.world.addOperator(PROFILE_ID, READER_ID)
      const inputs = { 'trusted-profile': PROFILE_ID, mint: 'api-key', 'service-id': READER_ID }
      return { inputs: stage.here(inputs), secrets: [], env: onIbmCloud() }
    }
  ]
]

function bad(scene: Scene): Scene {
  return { ...scene, ends: 'badly' }
}

const WRONG_KEY = 'xQ9wL2mVb7Kp_4RtZ8cHn3Fs6Yd-1GjUe5TiOaXkWqMv'

const failures: Row[] = [
  [
    'a wrong secret',
    ['real', 'none'],
    () =>
      bad({ inputs: stage.here({ 'api-key': WRONG_KEY }), secrets: [watch('api-key', WRONG_KEY, AT.login)] })
  ],
  [
    'a wrong secret that is to mint',
    ['none'],
    () =>
      bad({
        inputs: stage.here({ 'api-key': WRONG_KEY, mint: 'iam-token' }),
        secrets: [watch('api-key', WRONG_KEY, AT.iam)]
      })
  ],
  ...Object.entries({
    'an API key as a token': { 'access-token': WRITER_KEY },
    'a line break inside': { 'api-key': `${WRITER_KEY}\n${READER_KEY}` },
    'a control character inside': { 'api-key': `${WRITER_KEY}\u0007` },
    'half a key file': { 'api-key': `{\n\t"apikey": "${WRITER_KEY}",` },
    'a key file as another secret': { 'refresh-token': keyFile },
    'two secrets': { 'api-key': WRITER_KEY, 'refresh-token': READER_KEY },
    'a region that does not exist': { 'api-key': READER_KEY, region: 'us-sout' },
    'no registry': { 'api-key': WRITER_KEY, registry: '' },
    'a mint that does not go with it': { 'registry-token': WRITER_KEY, mint: 'iam-token' }
  }).map(([name, inputs]: [string, Inputs]): Row => [
    name,
    ['none'],
    () => {
      const pasted = Object.values(inputs).join('\n')
      const keys = [WRITER_KEY, READER_KEY].filter((key) => pasted.includes(key))
      return bad({ inputs: stage.here(inputs), secrets: keys.map((key, at) => watch(`secret ${at}`, key)) })
    }
  ]),
  [
    'docker that says the secret',
    ['recording'],
    () =>
      bad({
        ...given('api-key', WRITER_KEY),
        secrets: [watch('api-key', WRITER_KEY)],
        answers: [{ exitCode: 1, stderr: `Error: unauthorized for "${WRITER_KEY}"\n`, stdout: WRITER_KEY }]
      })
  ],
  [
    'docker that writes another login',
    ['recording'],
    () =>
      bad({
        ...given('api-key', WRITER_KEY),
        secrets: [watch('api-key', WRITER_KEY)],
        answers: [{ entry: 'none', stdout: WRITER_KEY, stderr: WRITER_KEY }]
      })
  ],
  [
    'a registry that is out of order',
    ['none'],
    () => {
      stage.cloud.faults.push({ service: 'registry', path: '/oauth/token', fault: statusFault(503) })
      return bad({
        inputs: stage.here({ 'api-key': WRITER_KEY, timeout: '2s' }),
        secrets: [watch('api-key', WRITER_KEY, AT.login)]
      })
    }
  ],
  [
    'a minted key that may push',
    ['none'],
    () => {
      const inputs = stage.here({ ...mintInputs('api-key'), 'service-id': WRITER_ID })
      return bad({ inputs, secrets: [watch('api-key', OPERATOR_KEY, AT.iam)] })
    }
  ],
  [
    'a key that may not mint',
    ['none'],
    () => {
      const inputs = stage.here({ ...mintInputs('api-key'), 'api-key': WRITER_KEY })
      return bad({ inputs, secrets: [watch('api-key', WRITER_KEY, AT.iam)] })
    }
  ],
  [
    'a minted key that can’t be deleted',
    ['none'],
    () => ({
      inputs: stage.here(mintInputs('api-key')),
      secrets: [watch('api-key', OPERATOR_KEY, AT.iam)],
      between: () => {
        stage.cloud.faults.push({ service: 'iam', method: 'DELETE', fault: statusFault(403) })
      }
    })
  ],
  [
    'a job that is killed while it mints',
    ['none'],
    async () => {
      stage.cloud.faults.push({ service: 'iam', path: '/identity/token', fault: holdFault() })
      const controller = new AbortController()
      const reached = stage.cloud.when({ service: 'iam', path: '/identity/token' }, 'received')
      void reached.then(() => {
        controller.abort()
      })
      return Promise.resolve({
        inputs: stage.here(mintInputs('api-key')),
        secrets: [watch('api-key', OPERATOR_KEY, AT.iam)],
        signal: controller.signal,
        ends: 'killed' as const
      })
    }
  ]
]

function testRows(rows: readonly Row[]): void {
  for (const [name, dockers, scene] of rows) {
    for (const docker of dockers) {
      const run = docker === 'real' && missingPrograms(['docker']).length > 0 ? test.skip : test
      run(
        `${name} (docker: ${docker})`,
        async () => {
          await expectNoLeak(await scene(), docker)
        },
        60_000
      )
    }
  }
}

describe('A login leaks nothing:', () => {
  testRows(logins)
})

describe('A credential that is made for the job leaks nothing, nor does what made it:', () => {
  testRows(mints)
})

describe('A failure leaks nothing:', () => {
  testRows(failures)
})

/** What a service says that gives back a text wherever it can: in its headers, and in every field of an error. */
function echoReply(status: number, text: string): Awaited<ReturnType<Fault>> {
  const error = { code: text, message: text, message_code: text, detail: text, details: text }
  const line = text.replace(/[^\x20-\x7e]+/gu, ' ')
  const challenge = `Bearer realm="${line}",service="${line}",error="${line}",error_description="${line}"`
  return {
    status,
    headers: { 'Content-Type': 'application/json', 'WWW-Authenticate': challenge, 'X-Echo': line },
    body: JSON.stringify({
      ...error,
      errors: [error, error],
      errorCode: text,
      errorMessage: text,
      errorDetails: text,
      error: text,
      error_description: text,
      id: text,
      context: { requestId: text }
    })
  }
}

/** The same on a status line, with nothing else. */
const echoStatusText =
  (text: string): Fault =>
  ({ socket }) => {
    socket.end(`HTTP/1.1 401 ${text.replace(/[^\x20-\x7e]+/gu, ' ')}\r\nContent-Length: 0\r\n\r\n`)
    return Promise.resolve(undefined)
  }

interface Echo {
  service: ServiceName
  method?: string
  path: RegExp
  status: number
  docker: Docker
  inputs: () => Inputs
  secret: string
  /** Where it was sent, and comes back from. */
  at: RegExp
  /** Whether it is post that hears it. */
  late?: boolean
}

const echoes: Record<string, Echo> = {
  'the registry, without docker': {
    service: 'registry',
    path: /^\/oauth\/token$/u,
    status: 401,
    docker: 'none',
    inputs: () => ({ 'api-key': WRITER_KEY }),
    secret: WRITER_KEY,
    at: AT.login
  },
  'the registry, by docker': {
    service: 'registry',
    path: /^\/oauth\/token$/u,
    status: 401,
    docker: missingPrograms(['docker']).length > 0 ? 'none' : 'real',
    inputs: () => ({ 'api-key': WRITER_KEY }),
    secret: WRITER_KEY,
    at: AT.login
  },
  IAM: {
    service: 'iam',
    path: /^\/identity\/token$/u,
    status: 400,
    docker: 'none',
    inputs: () => mintInputs('iam-token'),
    secret: WRITER_KEY,
    at: AT.iam
  },
  'IAM, when it is to make a key': {
    service: 'iam',
    method: 'POST',
    path: /^\/v1\/apikeys$/u,
    status: 400,
    docker: 'none',
    inputs: () => mintInputs('api-key'),
    secret: OPERATOR_KEY,
    at: AT.iam
  },
  'IAM, when it is to delete a key': {
    service: 'iam',
    method: 'DELETE',
    path: /^\/v1\/apikeys/u,
    status: 400,
    docker: 'none',
    inputs: () => mintInputs('api-key'),
    secret: OPERATOR_KEY,
    at: AT.iam,
    late: true
  },
  'the registry, when it is to issue a registry token': {
    service: 'registry',
    method: 'POST',
    path: /^\/api\/v1\/tokens$/u,
    status: 400,
    docker: 'none',
    inputs: () => mintInputs('registry-token'),
    secret: OPERATOR_KEY,
    at: AT.iam
  }
}

/** The secret in a form, in one piece and in many. */
function echoTexts(form: FormName, secret: string): string[] {
  const [text = ''] = writeForms(form, secret)
  return text === '' ? [] : [`not valid: ${text}`, `not valid: ${text.replace(/.{12}/gsu, '$& ')}`]
}

describe('What a service gives back is not shown:', () => {
  describe.each(Object.entries(echoes))('%s', (_, echo) => {
    const scene = (): Scene => ({
      inputs: stage.here(echo.inputs()),
      secrets: [watch('secret', echo.secret, echo.at)],
      ...(echo.late === true ? {} : { ends: 'badly' as const })
    })
    const hear = async (text: string, fault: Fault): Promise<Leak[]> => {
      const { service, path, method } = echo
      stage.cloud.requests.splice(0)
      stage.cloud.faults.splice(0, Infinity, {
        service,
        path,
        fault,
        ...(method === undefined ? {} : { method })
      })
      const { leaks, main, post } = await searchJob(scene(), echo.docker, {})
      if (main.exitCode !== (echo.late === true ? 0 : 1)) throw new Error(`${text}\n${main.stdout}`)
      if (echo.late === true && post.warnings.length === 0) throw new Error(`${text}\n${post.stdout}`)
      return leaks
    }

    test('on the status line', async () => {
      expect(await hear('', echoStatusText(echo.secret))).toEqual([])
    }, 60_000)

    test('in headers and in errors, in any form', async () => {
      const found: Leak[] = []
      // What breaks a text in pieces is the same for all; test/unit/injection.test.ts has the rest.
      const most = echo.service === 'registry' && echo.docker === 'none' ? 2 : 1
      for (const form of FORM_NAMES) {
        for (const text of echoTexts(form, echo.secret).slice(0, most)) {
          found.push(...(await hear(text, () => Promise.resolve(echoReply(echo.status, text)))))
        }
      }
      expect(found).toEqual([])
    }, 120_000)
  })

  const lies: [string, Omit<Echo, 'status' | 'docker'>, (secret: string) => object][] = [
    [
      'the secret as the registry’s own token',
      {
        service: 'registry',
        path: /^\/oauth\/token$/u,
        inputs: () => mintInputs('repository-token'),
        secret: WRITER_KEY,
        at: AT.login
      },
      (token) => ({ token, access_token: token, expires_in: 3600 })
    ],
    [
      'the secret as an access token',
      {
        service: 'iam',
        path: /^\/identity\/token$/u,
        inputs: () => ({ 'api-key': WRITER_KEY, mint: 'iam-token' }),
        secret: WRITER_KEY,
        at: AT.iam
      },
      (token) => ({ access_token: token, expires_in: 3600 })
    ],
    [
      'the secret as the ID of a key',
      {
        service: 'iam',
        method: 'POST',
        path: /^\/v1\/apikeys$/u,
        inputs: () => mintInputs('api-key'),
        secret: OPERATOR_KEY,
        at: AT.iam
      },
      (secret) => ({ id: `ApiKey-${secret}`, apikey: 'zX8vB3nM_qW5eR7tY2uI-oP4aS6dF9gH1jK0lZxC8vBn' })
    ],
    [
      'the secret as the ID of a registry token',
      {
        service: 'registry',
        method: 'POST',
        path: /^\/api\/v1\/tokens$/u,
        inputs: () => mintInputs('registry-token'),
        secret: OPERATOR_KEY,
        at: AT.iam
      },
      (secret) => ({ token: signHs256({ jti: secret }, 'a key of its own') })
    ]
  ]
  test.each(lies)('%s', async (_, { service, method, path, inputs, secret, at }, body) => {
    const answer = { status: 200, body: JSON.stringify(body(secret)) }
    const fault: Fault = () => Promise.resolve(answer)
    stage.cloud.faults.push({ service, path, fault, ...(method === undefined ? {} : { method }) })
    const scene: Scene = {
      inputs: stage.here({ ...inputs(), timeout: '2s' }),
      secrets: [watch('secret', secret, at)],
      ends: 'badly'
    }
    const { leaks, main } = await searchJob(scene, 'none', {})
    expect(leaks).toEqual([])
    expect(main.exitCode).toBe(1)
  })
})

interface Plant {
  /** What runs before main. */
  code: string
  /** Where the scan must find it. */
  place: RegExp
  fails?: boolean
}

const hex = "Buffer.from(key).toString('hex')"

const plants: Record<string, Plant> = {
  'the secret on a command line': {
    code: "spawnSync('docker', ['version', key])",
    place: /^argv of docker$/u
  },
  'the secret in a child’s environment, in hexadecimal': {
    code: `spawnSync('docker', ['version'], { env: { ...process.env, NOTE: ${hex} } })`,
    place: /^env NOTE of docker$/u
  },
  'a piece of the secret in state': {
    code: "appendFileSync(process.env.GITHUB_STATE, 'note=' + key.slice(9, 17) + '\\n')",
    place: /^state note of main$/u
  },
  'the secret in an error, percent-encoded': {
    code: `console.log('::error::' + ${hex}.replace(/../g, '%25$&'))`,
    place: /^commands of main$/u,
    fails: true
  },
  'the secret in a line of the log, in base64': {
    code: "console.log(Buffer.from('xy' + key).toString('base64'))",
    place: /^stdout of main$/u
  },
  'the secret in a file that is left in RUNNER_TEMP': {
    code: "appendFileSync(process.env.RUNNER_TEMP + '/left', JSON.stringify(key + '\\n'))",
    place: /^file RUNNER_TEMP\/left after the job$/u
  }
}

describe('The scan finds what it is for:', () => {
  /** The action, with a main that leaks the secret before it does its work. */
  function copyAction(code = ''): string {
    const root = join(import.meta.dirname, '../..')
    const folder = mkdtempSync(join(tmpdir(), 'icr-login-planted-'))
    stage.closeLater(() => {
      rmSync(folder, { recursive: true, force: true })
    })
    cpSync(join(root, 'dist'), join(folder, 'dist'), { recursive: true })
    const action = readFileSync(join(root, 'action.yml'), 'utf8')
    writeFileSync(join(folder, 'action.yml'), action.replace('dist/main/index.js', 'main.mjs'))
    writeFileSync(
      join(folder, 'main.mjs'),
      `import { appendFileSync } from 'node:fs'
      import { spawnSync } from 'node:child_process'
      const key = process.env['INPUT_API-KEY']
      ${code}
      await import('./dist/main/index.js')`
    )
    return folder
  }

  const scene = (plant?: Plant): Scene => ({
    ...given('api-key', WRITER_KEY),
    job: { action: copyAction(plant?.code) },
    ...(plant?.fails === true ? { answers: [{ exitCode: 1, stderr: 'denied\n' }], ends: 'badly' } : {})
  })

  test('nothing, where nothing was planted', async () => {
    expect((await searchJob(scene(), 'recording', {})).leaks).toEqual([])
  }, 60_000)

  test.each(Object.entries(plants))(
    '%s',
    async (_, plant) => {
      const { leaks, main } = await searchJob(scene(plant), 'recording', {})
      expect(main.exitCode).toBe(plant.fails === true ? 1 : 0)
      expect(leaks.map(({ place }) => place)).toContainEqual(expect.stringMatching(plant.place))
    },
    60_000
  )
})
