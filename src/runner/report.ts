import * as core from '@actions/core'
import { configPath } from '../docker/config/file.ts'
import type { Outcome, Release } from '../docker/config/ledger.ts'
import { messageOf } from '../errors/user-error.ts'
import { escapeLine, formatList } from '../errors/quote.ts'
import { info, warning } from './log.ts'
import type { State } from './state.ts'

/** What is reported of a login, beside its state. */
export interface LoginReport {
  /** Empty for a repository token, which has none. */
  readonly username: string
  /** The short-lived secret; empty for one that was given. */
  readonly password: string
  readonly minted?: {
    readonly method: string
    /** Of what can be revoked; else empty. */
    readonly id: string
    /** What the registry grants: undefined where that is not verified. */
    readonly access: string | undefined
    readonly repositories: readonly string[]
  }
}

/** Sets the outputs, says what was done, and writes it on the job's page. */
export async function reportLogin(state: State, { username, password, minted }: LoginReport): Promise<void> {
  const { hosts, directory, stage, expiresAt } = state
  const outputs = {
    registry: hosts[0] ?? '',
    registries: JSON.stringify(hosts),
    username,
    password,
    'token-id': minted?.id ?? '',
    'expires-at': expiresAt,
    access: minted?.access ?? '',
    'docker-config': directory
  }
  for (const [name, value] of Object.entries(outputs))
    // Without this file, @actions/core prints outputs to the log.
    if (name !== 'password' || process.env['GITHUB_OUTPUT']) core.setOutput(name, value)
  const until = expiresAt === '' ? 'does not end by itself' : `ends ${expiresAt}`
  const who = username === '' ? 'with a repository token' : `as ${username}`
  info(`Logged in to ${formatList(hosts)} ${who}. The credential ${until}.`)
  await writeSummary('Logged in to IBM Cloud Container Registry', [
    ['Registry', hosts.map(code).join('<br>')],
    ['User name', username === '' ? 'none: it is a repository token' : code(username)],
    ...(minted === undefined ? [] : mintRows(minted)),
    ['Ends', expiresAt === '' ? 'not by itself' : expiresAt],
    ['Kept in', code(`${directory}/config.json`)],
    ['After the job', describeAfter(stage, minted)]
  ])
}

function mintRows({ method, id, access, repositories }: NonNullable<LoginReport['minted']>): Row[] {
  const proof = access === undefined ? 'not proven' : `${access === 'pull' ? 'pull only' : access}, proven`
  return [
    ['Minted', [method, id].filter(Boolean).map(code).join(' ')],
    ['Repositories', repositories.map(code).join('<br>') || 'all that its policies allow'],
    ['Access', proof]
  ]
}

function describeAfter(stage: State['stage'], minted: LoginReport['minted']): string {
  if (stage === 'kept') return 'the login stays (<code>logout: false</code>)'
  if (minted === undefined) return 'the login is taken out again'
  const fate = minted.id === '' ? 'the credential ends by itself' : 'the credential is revoked'
  return `the login is taken out again, and ${fate}`
}

/** One line for each thing that cleanup did, and one for each that it could not do. */
export interface CleanupReport {
  readonly cleanedUp: string[]
  readonly notCleanedUp: string[]
}

const OUTCOMES: Readonly<Record<Outcome, string>> = {
  removed: 'logged out.',
  restored: 'logged out; the login that was there before is back.',
  shared: 'logged out; another job, or an earlier step of this one, is still logged in.',
  gone: 'its login was gone before the job was over: by docker logout, or by a program that wrote the file at the same time.',
  changed: 'its login was changed after this step, so it was left as it is.'
}

/** Adds what came of the login for each host. */
export function reportReleases(
  { hosts, stage, directory }: State,
  releases: readonly Release[],
  { cleanedUp, notCleanedUp }: CleanupReport
): void {
  for (const { host, outcome } of releases.filter((each) => hosts.includes(each.host))) {
    const line = `${host}: ${OUTCOMES[outcome]}`
    // Steps that came later may have gone without it.
    const isProblem = outcome === 'changed' || (outcome === 'gone' && stage === 'held')
    if (isProblem) notCleanedUp.push(`${line} See ${configPath(directory)}.`)
    else cleanedUp.push(line)
  }
  // A login that was made, and that the ledger does not know any more.
  const unknown = hosts.filter((host) => stage === 'held' && !releases.some((each) => each.host === host))
  for (const host of unknown)
    notCleanedUp.push(
      `${host}: the record of this login is gone. If it is still there, run: docker logout ${host}`
    )
}

/** Writes what was cleaned up, and what was not, to the log and to the job summary. */
export async function reportCleanup({ cleanedUp, notCleanedUp }: CleanupReport): Promise<void> {
  for (const line of cleanedUp) info(line)
  for (const line of notCleanedUp) warning(line)
  const rows = [
    ...cleanedUp.map((line): Row => ['Done', cell(line)]),
    ...notCleanedUp.map((line): Row => ['Left', cell(line)])
  ]
  await writeSummary('Cleaned up after IBM Cloud Container Registry', rows)
}

type Row = readonly [name: string, html: string]

async function writeSummary(title: string, rows: readonly Row[]): Promise<void> {
  if (rows.length === 0) return
  const table = rows.map(([data, html]) => [{ data, header: true }, html])
  try {
    await core.summary.addHeading(title, 3).addTable(table).write()
  } catch (error) {
    core.debug(`Could not write the job summary: ${escapeLine(messageOf(error))}`)
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
