import * as core from '@actions/core'
import type { Context } from './context.ts'
import { findProxySecrets } from './environment.ts'
import { escapeLine, formatList, knownSecrets, messageOf } from './errors.ts'
import type { State } from './state.ts'

/** What the rooms below may say, mask and wait for: the log, the real clock, and a budget from now on. */
export function createContext(budgetMs: number): Context {
  for (const secret of findProxySecrets(process.env)) core.setSecret(secret)
  return {
    mask: (secret) => {
      knownSecrets.add(secret)
      core.setSecret(secret)
    },
    note: say,
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

/** Writes one line to the log: a path or a name in it can't start a command of the runner's. */
function say(line: string): void {
  core.info(escapeLine(line))
}

/** What is told of a login, beside its state. */
export interface LoginReport {
  /** Empty for a repository token, which has none. */
  readonly username: string
  /** The short-lived secret; empty for one that was given. */
  readonly password: string | undefined
  readonly minted?: MintReport
}

export interface MintReport {
  readonly way: string
  /** Of what can be revoked; else empty. */
  readonly id: string
  /** What the registry grants: undefined where that is not proven. */
  readonly access: string | undefined
  readonly repositories: readonly string[]
}

/** Sets the outputs, says what was done, and writes it on the job's page. */
export async function reportLogin(state: State, { username, password, minted }: LoginReport): Promise<void> {
  const { hosts, directory, stage, end } = state
  core.setOutput('registry', hosts[0])
  core.setOutput('registries', JSON.stringify(hosts))
  core.setOutput('username', username)
  core.setOutput('password', password)
  core.setOutput('token-id', minted?.id ?? '')
  core.setOutput('expires-at', end)
  core.setOutput('access', minted?.access ?? '')
  core.setOutput('docker-config', directory)
  const until = end === '' ? 'does not end by itself' : `ends ${end}`
  const who = username === '' ? 'with a repository token' : `as ${username}`
  say(`Logged in to ${formatList(hosts)} ${who}. The credential ${until}.`)
  await writeSummary('Logged in to IBM Cloud Container Registry', [
    ['Registry', hosts.map(code).join('<br>')],
    ['User name', username === '' ? 'none: it is a repository token' : code(username)],
    ...(minted === undefined ? [] : mintRows(minted)),
    ['Ends', end === '' ? 'not by itself' : end],
    ['Kept in', code(`${directory}/config.json`)],
    ['After the job', describeAfter(stage, minted)]
  ])
}

function mintRows({ way, id, access, repositories }: MintReport): Row[] {
  const proof = access === undefined ? 'not proven' : `${access === 'pull' ? 'pull only' : access}, proven`
  return [
    ['Minted', id === '' ? code(way) : `${code(way)} ${code(id)}`],
    [
      'Repositories',
      repositories.length === 0 ? 'all that its policies allow' : repositories.map(code).join('<br>')
    ],
    ['Access', proof]
  ]
}

function describeAfter(stage: State['stage'], minted: MintReport | undefined): string {
  if (stage === 'kept') return 'the login stays (<code>logout: false</code>)'
  if (minted === undefined) return 'the login is taken out again'
  const fate = minted.id === '' ? 'the credential ends by itself' : 'the credential is revoked'
  return `the login is taken out again, and ${fate}`
}

/** One line for each thing that cleanup did, and one for each that it could not do. */
export interface CleanupReport {
  readonly done: string[]
  readonly left: string[]
}

/** Says what was cleaned and what is left, and writes it on the job's page. A failure is never more than a warning. */
export async function reportCleanup({ done, left }: CleanupReport): Promise<void> {
  for (const line of done) say(line)
  for (const line of left) core.warning(line)
  const rows = [
    ...done.map((line) => ['Done', cell(line)] as const),
    ...left.map((line) => ['Left', cell(line)] as const)
  ]
  await writeSummary('Cleaned up after IBM Cloud Container Registry', rows)
}

type Row = readonly [name: string, html: string]

async function writeSummary(title: string, rows: readonly Row[]): Promise<void> {
  if (rows.length === 0 || !process.env['GITHUB_STEP_SUMMARY']) return
  try {
    core.summary
      .addHeading(title, 3)
      .addTable(rows.map(([name, text]) => [{ data: name, header: true }, text]))
    await core.summary.write()
  } catch (error) {
    say(`The job summary was not written: ${messageOf(error)}`)
  }
}

function escapeHtml(text: string): string {
  return escapeLine(text).replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`)
}

/** What a line says may be a service's own words. */
function cell(text: string): string {
  return text.split('\n').map(escapeHtml).join('<br>')
}

function code(text: string): string {
  return `<code>${escapeHtml(text)}</code>`
}
