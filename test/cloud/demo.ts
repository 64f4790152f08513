// `npm run demo`: a login and a mint, from the step to the cleanup, against the stand-in for IBM Cloud on loopback.
// `npm run demo -- --fault 503`: the same, and the first request to IAM and to the registry meets that fault.
import { isDeepStrictEqual, parseArgs } from 'node:util'
import { findProgram } from '../support/programs.ts'
import { type Job, startJob, type StepResult } from '../support/runner.ts'
import { type Cloud, startCloud } from './cloud.ts'
import { FAULTS } from './faults.ts'
import { OPERATOR_KEY, READER_ID, REPOSITORY, WRITER_KEY } from './default-world.ts'

const colour = process.stdout.isTTY
const paint = (code: number, text: string): string => (colour ? `\u001b[${code}m${text}\u001b[0m` : text)
const title = (text: string): void => {
  console.log(
    `\n${paint(1, paint(36, `── ${text} `))}${paint(36, '─'.repeat(Math.max(3, 72 - text.length)))}`
  )
}

/** What a reader of the job's log sees: the runner has put *** in the place of what was masked. */
function hide(text: string, { masks }: StepResult): string {
  return masks.reduce((shown, secret) => shown.replaceAll(secret, paint(33, '***')), text)
}

function print(text: string): void {
  for (const line of text.trimEnd().split('\n')) console.log(`  ${line}`)
}

function printTable(rows: readonly (readonly [string, string])[]): void {
  const width = Math.max(...rows.map(([name]) => name.length))
  for (const [name, value] of rows) console.log(`  ${paint(2, name.padEnd(width))}  ${value}`)
}

/** The rows of a job summary, without its HTML. */
function summaryRows(html: string): [string, string][] {
  return [...html.matchAll(/<tr><th>(.*?)<\/th><td>(.*?)<\/td><\/tr>/gu)].map(([, name = '', cell = '']) => [
    name,
    cell.replaceAll('<br>', ', ').replaceAll(/<[^>]*>/gu, '')
  ])
}

/** Uses a login as a registry client does: the entry of config.json → a token for one repository → its tags. */
async function listTags(host: string, auth: unknown): Promise<string> {
  const query = new URLSearchParams({ service: 'registry', scope: `repository:${REPOSITORY}:pull` })
  const reply = await fetch(`http://${host}/oauth/token?${query.toString()}`, {
    headers: { authorization: `Basic ${String(auth)}` }
  })
  if (!reply.ok) return `GET /oauth/token → ${reply.status}`
  const { token } = (await reply.json()) as { token: string }
  const tags = await fetch(`http://${host}/v2/${REPOSITORY}/tags/list`, {
    headers: { authorization: `Bearer ${token}` }
  })
  return `GET /v2/${REPOSITORY}/tags/list → ${tags.status} ${(await tags.text()).trim()}`
}

function check(what: string, holds: boolean): void {
  console.log(`  ${holds ? paint(32, '✔') : paint(31, '✘')} ${what}`)
  if (!holds) process.exitCode = 1
}

/** One act of the demo: a step of a workflow, what it shows, and its cleanup. */
interface Act {
  readonly name: string
  /** What the workflow's author writes under `with:`, besides the key and the registry. */
  readonly inputs: Readonly<Record<string, string>>
  readonly key: string
  /** What is true of the login once the job has ended. */
  readonly after: (answer: string) => readonly [string, boolean]
}

async function play({ name, inputs, key, after }: Act, cloud: Cloud, job: Job): Promise<void> {
  const host = cloud.registryHost
  title(name)
  const lines = Object.entries({ 'api-key': '${{ secrets.IBM_CLOUD_API_KEY }}', registry: host, ...inputs })
  print(
    `- uses: icr-login@v1\n  with:\n${lines.map(([input, value]) => `    ${input}: ${value}`).join('\n')}`
  )
  const before = job.snapshot()
  const started = Date.now()
  const main = await job.main({ 'api-key': key, registry: host, 'iam-url': cloud.iamUrl, ...inputs })
  title(`The log of the step (${Date.now() - started} ms)`)
  print(hide([main.log, ...main.errors].join('\n'), main))
  title('The login in config.json')
  print(hide(JSON.stringify(job.dockerConfig(), null, 2), main))
  title('Outputs')
  printTable(Object.entries(main.outputs).map(([output, value]) => [output, hide(value, main)]))
  title('Job summary')
  printTable(summaryRows(main.summary))
  title('The login at work')
  const auth = job.dockerConfig()?.auths?.[host]?.['auth']
  print(await listTags(host, auth))
  const post = await job.post()
  title('After the job')
  print(hide([post.log, ...post.warnings].join('\n'), post))
  check('the step and its cleanup ended well', main.exitCode === 0 && post.exitCode === 0)
  check('every file in the home is as it was before', isDeepStrictEqual(job.snapshot(), before))
  check('nothing is left in the temporary directory', Object.keys(job.snapshot(job.temp)).length === 0)
  check(...after(await listTags(host, auth)))
}

/** The fault that was asked for, for the first request of the act to each service. */
function turnOn(name: string | undefined, cloud: Cloud): void {
  if (name === undefined) return
  const make = new Map<string, (typeof FAULTS)[keyof typeof FAULTS]>(Object.entries(FAULTS)).get(name)
  if (make === undefined) throw new Error(`--fault is one of: ${Object.keys(FAULTS).join(', ')}`)
  cloud.faults.length = 0
  for (const service of ['iam', 'registry'] as const) cloud.faults.push({ service, times: 1, fault: make() })
}

const ACTS: readonly Act[] = [
  {
    name: 'A login with a key',
    inputs: {},
    key: WRITER_KEY,
    after: (answer) => ['the key itself is good for the next job', answer.includes('→ 200')]
  },
  {
    name: 'A temporary key for the job, from mint to revoke',
    inputs: { mint: 'api-key', 'service-id': READER_ID, lifetime: '15m', repositories: REPOSITORY },
    key: OPERATOR_KEY,
    after: (answer) => [`the temporary key is dead: ${answer}`, answer.includes('→ 40')]
  }
]

const { values: options } = parseArgs({ options: { fault: { type: 'string' } } })
const docker = findProgram('docker')
console.log(
  docker === undefined
    ? 'No docker on this machine: the action does the handshake itself.'
    : `With the docker CLI at ${docker}; no daemon is needed.`
)
const cloud = await startCloud()
for (const act of ACTS) {
  turnOn(options.fault, cloud)
  const job = await startJob({ docker: docker === undefined ? 'none' : 'real' })
  try {
    await play(act, cloud, job)
  } finally {
    job.close()
  }
}
await cloud.close()
