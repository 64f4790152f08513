// The committed action in the workflows of test/workflows, run by act: an engine that nobody here wrote. What of act is
// not as on GitHub stands in act.ts.
import { afterEach, describe, expect, test } from '@jest/globals'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { OPERATOR_KEY, READER_ID, READER_KEY, WRITER_KEY } from '../cloud/default-world.ts'
import { authOf } from '../e2e/support/stage.ts'
import { grantsOf, keysOf } from '../e2e/support/mint.ts'
import { snapshot } from '../support/runner.ts'
import { IMAGE, useActServices, type RunOptions, type WorkflowRun } from './act-services.ts'

const services = useActServices()

const secrets = {
  IBM_CLOUD_API_KEY: WRITER_KEY,
  IBM_CLOUD_READER_KEY: READER_KEY,
  IBM_CLOUD_OPERATOR_KEY: OPERATOR_KEY
}
const vars = { IBM_CLOUD_READER_ID: READER_ID }

afterEach(() => {
  services().cloud.world.ahead = 0
})

/** The names that anything at all was sent to. */
const names = (): string[] => {
  const asked = services().cloud.requests.filter(({ service }) => service === 'proxy')
  return [...new Set(asked.map(({ path }) => path))].sort()
}

const logged = (home: string): unknown => JSON.parse(readFileSync(join(home, '.docker/config.json'), 'utf8'))

/** Runs a workflow, of which must hold what holds of each: it shows no secret, and leaves the home as it was. */
async function run(options: Omit<RunOptions, 'home'>, home = services().newHome()): Promise<WorkflowRun> {
  const before = snapshot(home)
  const result = await services().run({ secrets, vars, ...options, home })
  expect(result.shown).toEqual([])
  expect(snapshot(home)).toEqual(before)
  return result
}

function expectEnd({ exitCode, log }: WorkflowRun, wanted = 0): void {
  if (exitCode !== wanted) throw new Error(`act ended with exit code ${exitCode ?? 'none'}\n${log}`)
}

/** What docker says at the end of a pull, in whichever way it came to have the image. */
const PULLED = ` for us.icr.io/${IMAGE}:1.0\n`

/** They stand in the log one after the other. */
function expectInOrder({ log }: WorkflowRun, ...texts: string[]): void {
  const places = texts.map((text) => [text, log.indexOf(text)] as const)
  expect(places).toEqual([...places].filter(([, at]) => at >= 0).sort(([, a], [, b]) => a - b))
}

/** Prints the login that is in config.json, as it is there and as whoever reads it would decode it. */
const PRINT_LOGIN = `
cat "\${DOCKER_CONFIG:-$HOME/.docker}/config.json"
node --print 'const { auths } = JSON.parse(fs.readFileSync(os.homedir() + "/.docker/config.json", "utf8"))
  "decoded: " + atob(auths["us.icr.io"].auth ?? "")'
`

describe('a job that pulls', () => {
  test('finds the login, and in the outputs where it leads to; after it all is as before', async () => {
    const result = await run({ workflow: 'pull.yml' })
    expectEnd(result)
    expect(result.log).toContain(PULLED)
    expect(names()).toEqual(['us.icr.io:443'])
  })

  test('shows *** in its log where a step prints the secret, however it got it', async () => {
    const result = await run({ workflow: 'pull.yml', test: PRINT_LOGIN })
    expectEnd(result)
    expect(result.log).toMatch(/"us\.icr\.io": \{[^}]*"auth": "\*\*\*"[^}]*\}/u)
    expect(result.log).toContain('decoded: iamapikey:***')
  })

  // No runner masks it, and none could: the search that all these tests rest on finds it.
  test('shows a secret that a step wrote in hexadecimal', async () => {
    const script = `node --print 'Buffer.from(process.argv[1]).toString("hex")' ${READER_KEY}`
    const home = services().newHome()
    const result = await services().run({ workflow: 'pull.yml', home, secrets, test: script })
    expectEnd(result)
    expect(result.shown).toEqual([expect.stringContaining('hexadecimal')])
  })

  test('is cleaned up after a step that failed, and stays red', async () => {
    const result = await run({ workflow: 'pull.yml', test: 'exit 7' })
    expectEnd(result, 1)
    expectInOrder(
      result,
      'Failure - Main bash test.sh',
      'Run Post ./',
      'us.icr.io: logged out.',
      'Job failed'
    )
    expect(result.left).toEqual([])
  })

  // docs/troubleshooting.md, "sudo": another home, and the same docker.
  test('is logged in for another user too, where docker is told the directory', async () => {
    const pull = `pull us.icr.io/${IMAGE}:1.0`
    const script = `
      HOME=/nowhere docker ${pull} && exit 1
      HOME=/nowhere docker --config "$HOME/.docker" ${pull} && echo done`
    const result = await run({ workflow: 'pull.yml', test: script })
    expectEnd(result)
    expectInOrder(result, 'unauthorized', '| done')
  })

  test('brings back a login that was there before', async () => {
    const home = services().newHome({ auths: { 'us.icr.io': { auth: authOf('iamapikey', 'of-the-user') } } })
    const result = await run({ workflow: 'pull.yml' }, home)
    expectEnd(result)
    expect(result.log).toContain('us.icr.io: logged out; the login that was there before is back.')
  })
})

test('two logins of one job are undone in reverse order', async () => {
  const result = await run({ workflow: 'two-logins.yml', test: PRINT_LOGIN })
  expectEnd(result)
  const held = 'logged out; another job, or an earlier step of this one, is still logged in.'
  expectInOrder(result, 'Main Log in to pull', 'Main Log in to push', 'Post Log in to push', held)
  expectInOrder(result, held, 'Post Log in to pull', 'us.icr.io: logged out.\n')
  expect(services().pushed()).toEqual(['us.icr.io my-namespace/next:1.0'])
})

test('a matrix of regions, at the same time in one home, pushes to each', async () => {
  const event = { name: 'release', payload: { action: 'published', release: { tag_name: 'v1.2.3' } } }
  const result = await run({ workflow: 'push.yml', event })
  expectEnd(result)
  expect(services().pushed()).toEqual([`de.icr.io ${IMAGE}:v1.2.3`, `us.icr.io ${IMAGE}:v1.2.3`])
})

test('a workflow that others call gets its secret from the caller, and finds the action by its name', async () => {
  const result = await run({ workflow: 'call-shared.yml', test: PRINT_LOGIN })
  expectEnd(result)
  expectInOrder(result, PULLED, 'decoded: iamapikey:***', 'us.icr.io: logged out.')
})

describe('isolate', () => {
  const isolated = async (script: string): Promise<WorkflowRun & { home: string }> => {
    const home = services().newHome({})
    const result = await services().run({ workflow: 'isolate.yml', home, secrets, test: script })
    expect(result.shown).toEqual([])
    return { ...result, home }
  }

  const plainLogin = { auths: { 'de.icr.io': { auth: authOf('iamapikey', READER_KEY) } } }

  test('beside a plain docker login: later steps use both, and only the plain one is left', async () => {
    const result = await isolated('echo "the config is in $DOCKER_CONFIG"; cat "$HOME/.docker/config.json"')
    expectEnd(result)
    expect(result.log).toMatch(/the config is in \S+\/tmp\/\S+/u)
    expectInOrder(
      result,
      PULLED,
      ` for de.icr.io/${IMAGE}:1.0\n`,
      'Run Post ./',
      '::set-env:: DOCKER_CONFIG=\n'
    )
    expect(logged(result.home)).toEqual(plainLogin)
    expect(readdirSync(join(result.home, '.docker'))).toEqual(['config.json'])
  })

  test('leaves nothing in RUNNER_TEMP of a job that failed', async () => {
    const result = await isolated(': >"$RUNNER_TEMP/of-the-step"; exit 7')
    expectEnd(result, 1)
    expect(result.left).toEqual(['of-the-step'])
    expect(logged(result.home)).toEqual(plainLogin)
  })
})

describe('a minted credential', () => {
  /** The value of the key that the job makes. */
  const nextKey = async (): Promise<string> => {
    const { cloud } = services()
    await cloud.when({ service: 'iam', method: 'POST', path: '/v1/apikeys' }, 'committed')
    return keysOf(cloud)[0]?.value ?? ''
  }

  const expectDead = async (key: string): Promise<void> => {
    const { cloud } = services()
    expect(key).toHaveLength(44)
    expect(keysOf(cloud)).toEqual([])
    expect(await grantsOf(cloud.registryHost, 'iamapikey', key, IMAGE)).toBe(401)
  }

  const whoPulled = (): string[] => {
    const { requests } = services().cloud
    const pulls = requests.filter(({ path, status }) => path.endsWith('/manifests/1.0') && status === 200)
    return [...new Set(pulls.map(({ headers }) => (headers['authorization'] ?? '').replace('Bearer ', '')))]
  }

  test('repository-token: docker pulls with it; it is *** in the log, and nowhere after the job', async () => {
    const test = `${PRINT_LOGIN} echo "the token is $REGISTRY_TOKEN"; docker push us.icr.io/${IMAGE}:1.0 || echo no push`
    const result = await run({ workflow: 'mint.yml', job: 'docker', test })
    expectEnd(result)
    expect(result.log).toMatch(/"us\.icr\.io": \{[^}]*"registrytoken": "\*\*\*"[^}]*\}/u)
    expectInOrder(result, 'the token is ***', 'no push', 'Run Post ./')
    const [token = '', ...others] = whoPulled()
    expect(others).toEqual([])
    expect(await statusOf(token)).toBe(200)
    services().cloud.world.ahead = 3601
    expect(await statusOf(token)).toBe(401)
  })

  const statusOf = async (token: string): Promise<number> => {
    const url = `http://${services().cloud.registryHost}/v2/${IMAGE}/tags/list`
    return (await fetch(url, { headers: { authorization: `Bearer ${token}` } })).status
  }

  test.each([
    ['with docker', true],
    ['without docker', false]
  ])('api-key, %s: skopeo pulls with it; it is *** in the log, and dead after the job', async (_, docker) => {
    const key = nextKey()
    const test = `${PRINT_LOGIN} echo "$TOKEN_ID ends at $EXPIRES_AT"`
    const result = await run({ workflow: 'mint.yml', job: 'skopeo', docker, test })
    expectEnd(result)
    expect(result.log).toContain('decoded: iamapikey:***')
    expect(result.log).toMatch(/ApiKey-\S+ ends at \d{4}-\d\d-\d\dT/u)
    expect(whoPulled()).toHaveLength(1)
    await expectDead(await key)
  })

  test('is dead after a job that was cancelled', async () => {
    const key = nextKey()
    const test = 'echo "it takes long"; exec sleep 100'
    const result = await run({ workflow: 'mint.yml', job: 'skopeo', test, cancel: '| it takes long' })
    expectEnd(result, 1)
    expectInOrder(result, 'Failure - Main bash test.sh', 'Run Post ./', 'Job failed')
    await expectDead(await key)
  })

  test('is dead after a job that was cancelled in the middle of the login', async () => {
    const { cloud } = services()
    const [key, stop] = [nextKey(), new AbortController()]
    const shown = key.then(() => cloud.when({ service: 'registry', path: '/oauth/token' }, 'received'))
    void shown.then(() => {
      stop.abort()
    })
    const result = await run({ workflow: 'mint.yml', job: 'skopeo', cancel: stop.signal })
    expectEnd(result, 1)
    expectInOrder(result, 'Failure - Main ./', 'Run Post ./', 'Job failed')
    await expectDead(await key)
  })
})
