// The README's pull secret, made by its own text with the real kubectl. There is no cluster: what would go to one by
// `kubectl apply` is taken by a stand-in (stand-ins/recorder.mjs).
import { expect, test } from '@jest/globals'
import { join } from 'node:path'
import { parse } from 'yaml'
import { READER_KEY } from '../cloud/default-world.ts'
import { mintInputs } from '../e2e/support/mint.ts'
import { useStage } from '../e2e/support/stage.ts'
import { runWell } from '../support/child.ts'
import { needProgram } from '../support/programs.ts'
import { callOf, readRecipes, recordPrograms } from './recipes.ts'

const stage = useStage({ registry: { registryTokens: true } })

const [BY_KEY, BY_OUTPUTS] = ['A Kubernetes pull secret', 'A Kubernetes pull secret (2)']

interface Workflow {
  jobs: Record<string, { steps: { run?: string; env?: Record<string, string> }[] }>
}

/** The step that makes the secret, with the values of its expressions. */
function stepOf(
  recipe: string,
  values: Record<string, string>
): { run: string; env: Record<string, string> } {
  const { jobs } = parse(readRecipes().get(recipe) ?? '') as Workflow
  const step = Object.values(jobs).flatMap(({ steps }) => steps.filter(({ run }) => run !== undefined))[0]
  const valueOf = (expression: string): string => {
    const value = values[expression]
    if (value === undefined) throw new Error(`no value of ${expression}`)
    return value
  }
  const env = Object.entries(step?.env ?? {}).map(([name, text]) => [
    name,
    text.replaceAll(/\$\{\{ (.*?) \}\}/gu, (_, expression: string) => valueOf(expression))
  ])
  return { run: step?.run ?? '', env: Object.fromEntries(env) as Record<string, string> }
}

const decoded = (text: string): unknown => {
  const secret = parse(text) as { data: Record<string, string> }
  const data = Object.entries(secret.data).map(([name, value]) => [
    name,
    JSON.parse(Buffer.from(value, 'base64').toString()) as unknown
  ])
  return { ...secret, data: Object.fromEntries(data) as unknown }
}

/** What the recipe's text gives to the cluster; run as the runner does. */
async function makeByRecipe(run: string, env: Record<string, string>): Promise<unknown> {
  const { folder, calls } = recordPrograms(join(stage.newFolder(), 'bin'))
  await runWell(needProgram('bash'), ['-e', '-c', run], { env: { ...env, PATH: folder } })
  return decoded(callOf(calls(), 'kubectl', 'apply').input)
}

/** The same by kubectl's own options, on whose command line the password stands. */
async function makeByOptions(env: Record<string, string>): Promise<unknown> {
  const { REGISTRY = '', USERNAME = '', PASSWORD = '' } = env
  const login = [
    `--docker-server=${REGISTRY}`,
    `--docker-username=${USERNAME}`,
    `--docker-password=${PASSWORD}`
  ]
  const create = ['create', 'secret', 'docker-registry', 'icr', '--namespace', 'my-app', ...login]
  const made = await runWell(needProgram('kubectl'), [...create, '--dry-run=client', '-o', 'yaml'], {
    env: {}
  })
  return decoded(made)
}

async function expectSame(recipe: string, values: Record<string, string>): Promise<void> {
  const { run, env } = stepOf(recipe, values)
  const made = await makeByRecipe(run, env)
  expect(made).toEqual(await makeByOptions(env))
  expect(made).toMatchObject({ type: 'kubernetes.io/dockerconfigjson', metadata: { name: 'icr' } })
}

test("a pull secret of a Reader's key is the one that kubectl makes of it", async () => {
  await expectSame(BY_KEY, { 'secrets.IBM_CLOUD_READER_KEY': READER_KEY })
})

test.each(['iam-token', 'api-key', 'registry-token'])(
  'a pull secret of the outputs of mint: %s is the one that kubectl makes of them',
  async (way) => {
    const job = await stage.newJob({ docker: 'real' })
    const { outputs, exitCode } = await job.main(stage.here(mintInputs(way)))
    expect(exitCode).toBe(0)
    const values = Object.entries(outputs).map(([name, value]) => [`steps.icr.outputs.${name}`, value])
    await expectSame(BY_OUTPUTS, Object.fromEntries(values) as Record<string, string>)
  }
)
