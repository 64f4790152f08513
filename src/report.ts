import * as core from '@actions/core'
import type { Context } from './context.ts'
import type { Credential } from './credential.ts'
import { formatList, messageOf } from './errors.ts'
import type { State } from './state.ts'

/** What the rooms below may say, mask and wait for: the log, the real clock, and a budget from now on. */
export function createContext(budgetMs: number): Context {
  return {
    mask: (secret) => {
      core.setSecret(secret)
    },
    note: (line) => {
      core.info(line)
    },
    warn: (line) => {
      core.warning(line)
    },
    now: () => Date.now(),
    sleep: async (milliseconds) => {
      await new Promise((resolve) => setTimeout(resolve, milliseconds))
    },
    deadline: Date.now() + budgetMs
  }
}

/** Sets the outputs, says what was done, and writes it on the job's page. */
export async function reportLogin(
  { hosts, directory, stage, end }: State,
  { username, secret, shortLived }: Credential & { readonly shortLived: boolean }
): Promise<void> {
  core.setOutput('registry', hosts[0] ?? '')
  core.setOutput('registries', JSON.stringify(hosts))
  core.setOutput('username', username)
  core.setOutput('password', shortLived ? secret : '')
  core.setOutput('expires-at', end)
  core.setOutput('docker-config', directory)
  const until = end === '' ? 'does not end by itself' : `ends ${end}`
  core.info(`Logged in to ${formatList(hosts)} as ${username}. The credential ${until}.`)
  await writeSummary('Logged in to IBM Cloud Container Registry', [
    ['Registry', hosts.map(code).join('<br>')],
    ['As', code(username)],
    ['Until', end === '' ? 'does not end by itself' : end],
    ['Kept in', code(`${directory}/config.json`)],
    [
      'After the job',
      stage === 'kept' ? 'the login stays (<code>logout: false</code>)' : 'the login is taken out again'
    ]
  ])
}

/** One line for each thing that cleanup did, and one for each that it could not do. */
export interface CleanupReport {
  readonly done: string[]
  readonly left: string[]
}

/** Says what was cleaned and what is left, and writes it on the job's page. A failure is never more than a warning. */
export async function reportCleanup({ done, left }: CleanupReport): Promise<void> {
  for (const line of done) core.info(line)
  for (const line of left) core.warning(line)
  const rows = [
    ...done.map((line) => ['Done', line] as const),
    ...left.map((line) => ['Left', line] as const)
  ]
  await writeSummary('Cleaned up after IBM Cloud Container Registry', rows)
}

type Row = readonly [name: string, cell: string]

async function writeSummary(title: string, rows: readonly Row[]): Promise<void> {
  if (rows.length === 0 || !process.env['GITHUB_STEP_SUMMARY']) return
  try {
    core.summary
      .addHeading(title, 3)
      .addTable(rows.map(([name, cell]) => [{ data: name, header: true }, cell]))
    await core.summary.write()
  } catch (error) {
    core.info(`The job summary was not written: ${messageOf(error)}`)
  }
}

function code(text: string): string {
  return `<code>${text}</code>`
}
