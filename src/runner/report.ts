import { appendFileSync } from 'node:fs'
import * as core from '@actions/core'
import { messageOf } from '../errors/user-error.ts'
import { formatList } from '../errors/quote.ts'
import { escapeLine } from '../errors/quote.ts'
import { say } from './log.ts'
import { appendValues } from './runner-file.ts'
import type { State } from './state.ts'

/** What is told of a login, beside its state. */
export interface LoginReport {
  /** Empty for a repository token, which has none. */
  readonly username: string
  /** The short-lived secret; empty for one that was given. */
  readonly password: string | undefined
  readonly minted?: MintReport
}

export interface MintReport {
  readonly method: string
  /** Of what can be revoked; else empty. */
  readonly id: string
  /** What the registry grants: undefined where that is not proven. */
  readonly access: string | undefined
  readonly repositories: readonly string[]
}

/** Sets the outputs, says what was done, and writes it on the job's page. */
export function reportLogin(state: State, { username, password, minted }: LoginReport): void {
  const { hosts, directory, stage, expiresAt } = state
  appendValues('GITHUB_OUTPUT', {
    registry: hosts[0],
    registries: JSON.stringify(hosts),
    username,
    password,
    'token-id': minted?.id ?? '',
    'expires-at': expiresAt,
    access: minted?.access ?? '',
    'docker-config': directory
  })
  const until = expiresAt === '' ? 'does not end by itself' : `ends ${expiresAt}`
  const who = username === '' ? 'with a repository token' : `as ${username}`
  say(`Logged in to ${formatList(hosts)} ${who}. The credential ${until}.`)
  writeSummary('Logged in to IBM Cloud Container Registry', [
    ['Registry', hosts.map(code).join('<br>')],
    ['User name', username === '' ? 'none: it is a repository token' : code(username)],
    ...(minted === undefined ? [] : mintRows(minted)),
    ['Ends', expiresAt === '' ? 'not by itself' : expiresAt],
    ['Kept in', code(`${directory}/config.json`)],
    ['After the job', describeAfter(stage, minted)]
  ])
}

function mintRows({ method, id, access, repositories }: MintReport): Row[] {
  const proof = access === undefined ? 'not proven' : `${access === 'pull' ? 'pull only' : access}, proven`
  return [
    ['Minted', id === '' ? code(method) : `${code(method)} ${code(id)}`],
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
  readonly cleanedUp: string[]
  readonly notCleanedUp: string[]
}

/** Says what was cleaned and what is left, and writes it on the job's page. A failure is never more than a warning. */
export function reportCleanup({ cleanedUp: done, notCleanedUp: left }: CleanupReport): void {
  for (const line of done) say(line)
  for (const line of left) core.warning(line)
  const rows = [
    ...done.map((line) => ['Done', cell(line)] as const),
    ...left.map((line) => ['Left', cell(line)] as const)
  ]
  writeSummary('Cleaned up after IBM Cloud Container Registry', rows)
}

type Row = readonly [name: string, html: string]

/** Written here because @actions/core loads node:fs/promises for it (see files.ts). */
function writeSummary(title: string, rows: readonly Row[]): void {
  const path = process.env['GITHUB_STEP_SUMMARY']
  if (rows.length === 0 || path === undefined || path === '') return
  const table = rows.map(([name, html]) => `<tr><th>${name}</th><td>${html}</td></tr>`).join('')
  try {
    appendFileSync(path, `<h3>${title}</h3>\n<table>${table}</table>\n`)
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
