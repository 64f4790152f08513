// Every workflow of the README is run as it stands there, by act. docker, kubectl and jq are the real ones; `ibmcloud`,
// `cf` and the end of `kubectl apply` would need a cloud: a stand-in takes what they are given (stand-ins/recorder.mjs).
import { afterAll, describe, expect, test } from '@jest/globals'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'yaml'
import { OPERATOR_KEY, READER_KEY, WRITER_ID, WRITER_KEY } from '../cloud/default-world.ts'
import { grantsOf } from '../e2e/support/mint.ts'
import { authOf } from '../e2e/support/stage.ts'
import { snapshot } from '../support/runner.ts'
import { fencedCode } from '../support/yaml-in-markdown.ts'
import { IMAGE, useActServices, type RunOptions, type WorkflowRun } from './act-services.ts'
import { callOf, readme, readRecipes, recordPrograms, type Call } from './recipes.ts'

const services = useActServices()
const recipes = readRecipes()
const folder = mkdtempSync(join(tmpdir(), 'icr-login-recipes-'))

afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

const secrets = { IBM_CLOUD_API_KEY: WRITER_KEY, IBM_CLOUD_READER_KEY: READER_KEY }

interface RecipeRun extends WorkflowRun {
  calls: Call[]
}

function expectNotOnCommandLine(calls: readonly Call[], secret: string): void {
  expect(calls.flatMap(({ argv }) => argv).join('\n')).not.toContain(secret)
}

/** Runs a workflow, which must end well, show no secret, in no log and on no command line, and leave the home as it was. */
async function runText(text: string, options: Partial<RunOptions> = {}): Promise<RecipeRun> {
  const home = services().newHome()
  const before = snapshot(home)
  const programs = recordPrograms(join(mkdtempSync(join(folder, 'run-')), 'bin'))
  const path = [programs.folder]
  const result = await services().run({ workflow: 'recipe.yml', text, home, secrets, path, ...options })
  if (result.exitCode !== 0) throw new Error(`exit code ${result.exitCode ?? 'none'}\n${result.log}`)
  expect(result.shown).toEqual([])
  expect(snapshot(home)).toEqual(before)
  const calls = programs.calls()
  for (const secret of Object.values(secrets)) expectNotOnCommandLine(calls, secret)
  return { ...result, calls }
}

/** By its heading. */
function run(recipe: string, options: Partial<RunOptions> = {}): Promise<RecipeRun> {
  const text = recipes.get(recipe)
  if (text === undefined) throw new Error(`The README has no workflow under "${recipe}".`)
  return runText(text, options)
}

/** The logins that the registry's token service took, as docker keeps them. */
function whoLoggedIn(): string[] {
  const asked = services().cloud.requests.filter(
    ({ path, status }) => path === '/oauth/token' && status === 200
  )
  return [...new Set(asked.map(({ headers }) => (headers['authorization'] ?? '').replace('Basic ', '')))]
}

/** What a cloud that pulls by itself was given. */
async function expectItCanPull(username: string, password: string): Promise<void> {
  expect(await grantsOf(services().cloud.registryHost, username, password, IMAGE)).toEqual(['pull'])
}

interface PullSecret {
  metadata: { name: string; namespace: string }
  data: Record<string, string>
}

type Auths = Record<string, { username: string; password: string; auth: string }>

/** kubernetes.test.ts says more of it. */
async function expectPullSecret(calls: readonly Call[], username: string): Promise<void> {
  expect(callOf(calls, 'kubectl', 'create').argv).toContain('--dry-run=client')
  const secret = parse(callOf(calls, 'kubectl', 'apply').input) as PullSecret
  expect(secret.metadata).toMatchObject({ name: 'icr', namespace: 'my-app' })
  const text = Buffer.from(secret.data['.dockerconfigjson'] ?? '', 'base64').toString()
  const { auths } = JSON.parse(text) as { auths: Auths }
  const password = auths['us.icr.io']?.password ?? ''
  expect(auths).toEqual({ 'us.icr.io': { username, password, auth: authOf(username, password) } })
  await expectItCanPull(username, password)
  expectNotOnCommandLine(calls, password)
}

/** Puts what a container needs to run a step in the registry, and leaves no copy of it with docker. */
const PUSH_BUILD_IMAGE = `
name: Push a build image
on: push
jobs:
  push:
    runs-on: ubuntu-latest
    steps:
      - run: |
          PATH="/usr/bin:/bin:$PATH"
          programs=$(command -v sh tail)
          { echo "$programs"; ldd $programs | grep --only-matching '/[^ :]*'; } | sort --unique |
            tar --create --dereference --absolute-names --files-from=- |
            docker import - us.icr.io/my-namespace/build:1
      - uses: icr-login/icr-login@v1
        with:
          api-key: \${{ secrets.IBM_CLOUD_API_KEY }}
          region: us-south
      - run: |
          docker push us.icr.io/my-namespace/build:1
          docker rmi us.icr.io/my-namespace/build:1
`

/** By the README's headings: what to run a workflow with, and what must come of it. */
const checks: Record<string, (recipe: string) => Promise<void>> = {
  'Use it': async (recipe) => {
    await run('Pull in a test job')
    await run(recipe)
    expect(services().pushed()).toEqual([`us.icr.io ${IMAGE}:1.0`])
  },

  'A short-lived credential': async (recipe) => {
    const { log } = await run(recipe)
    expect(log).toContain('access=pull\n')
  },

  'A short-lived credential (2)': async (recipe) => {
    const { world } = services().cloud
    const profile = world.addProfile({ name: 'ci-reader', trusts: [`iam-${WRITER_ID}`] })
    world.addPolicy({ iamId: profile.iamId, role: 'Reader' })
    const { log } = await run(recipe)
    expect(log).toContain('access=pull\n')
  },

  'A short-lived credential (3)': async (recipe) => {
    const { log } = await run(recipe, { secrets: { IBM_CLOUD_API_KEY: OPERATOR_KEY } })
    expect(log).toContain('access=pull\n')
    expect(log).toContain('registries=["us.icr.io","de.icr.io"]\n')
  },

  'Push on release, to several regions': async (recipe) => {
    const event = { name: 'release', payload: { action: 'published', release: { tag_name: 'v1.2.3' } } }
    await run(recipe, { event })
    expect(services().pushed()).toEqual([`de.icr.io ${IMAGE}:v1.2.3`, `us.icr.io ${IMAGE}:v1.2.3`])
  },

  'Pull in a test job': async (recipe) => {
    const { log } = await run(recipe)
    expect(log).toContain(` for us.icr.io/${IMAGE}:1.0\n`)
    expect(whoLoggedIn()).toEqual([authOf('iamapikey', READER_KEY)])
  },

  'Without any secret, on IBM Cloud': async (recipe) => {
    const env = { IBMCLOUD_CR_VPC_URL: services().cloud.metadataUrl }
    const { log } = await run(recipe, { secrets: {}, env })
    expect(log).toContain(` for private.us.icr.io/${IMAGE}:1.0\n`)
  },

  'Code Engine': async (recipe) => {
    const { argv, files } = callOf((await run(recipe)).calls, 'ibmcloud')
    const [file = '', ...others] = Object.keys(files)
    expect(others).toEqual([])
    expect(argv.join(' ')).toBe(
      'ce secret create --format registry --name icr ' +
        `--server us.icr.io --username iamapikey --password-from-file ${file}`
    )
    // The command reads the first line of the file, says its reference.
    await expectItCanPull('iamapikey', files[file]?.split('\n')[0] ?? '')
    expect(existsSync(file)).toBe(false)
  },

  '`cf push`': async (recipe) => {
    const { argv, env } = callOf((await run(recipe)).calls, 'cf')
    expect(argv.join(' ')).toBe(`push app --docker-image us.icr.io/${IMAGE}:1.0 --docker-username iamapikey`)
    await expectItCanPull('iamapikey', env['CF_DOCKER_PASSWORD'] ?? '')
  },

  'A Kubernetes pull secret': async (recipe) => {
    await expectPullSecret((await run(recipe)).calls, 'iamapikey')
  },

  'A Kubernetes pull secret (2)': async (recipe) => {
    await expectPullSecret((await run(recipe)).calls, 'iambearer')
  },

  '`container:` and `services:` images': async (recipe) => {
    await runText(PUSH_BUILD_IMAGE)
    services().cloud.requests.splice(0)
    const { log } = await run(recipe)
    expect(log).toContain('docker run image=us.icr.io/my-namespace/build:1 ')
    expect(log).toContain('Success - Main true')
    expect(whoLoggedIn()).toEqual([authOf('iamapikey', READER_KEY)])
  }
}

describe('the README', () => {
  test('has no workflow that is not run here, and no recipe that is none', () => {
    expect([...recipes.keys()].sort()).toEqual(Object.keys(checks).sort())
    expect(recipes.size).toBe(fencedCode(readme, 'yaml').length)
    const [, chapter = ''] = /^## Recipes\n([^]*?)^## /mu.exec(readme) ?? []
    const headings = [...chapter.matchAll(/^### (.*)$/gmu)].map(([, heading]) => heading)
    expect(headings.length).toBeGreaterThanOrEqual(7)
    expect(Object.keys(checks)).toEqual(expect.arrayContaining(headings))
    expect(new Set(chapter.match(/^ *```\S+$/gmu))).toEqual(new Set(['```yaml']))
  })

  test.each(Object.entries(checks))('%s: what it shows does it, as written', async (recipe, check) => {
    await check(recipe)
  })
})
