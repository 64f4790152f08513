import { rmdirSync, rmSync } from 'node:fs'
import * as core from '@actions/core'
import { configPath } from './docker/config/file.ts'
import { formatVariables, type LoginVariables, removeIsolation } from './docker/config/isolated.ts'
import { eraseUnused } from './docker/helper-login.ts'
import type { Context } from './context.ts'
import { describeRemaining } from './docker/config/remaining.ts'
import { removeLogins } from './docker/config/user-config.ts'
import { messageOf } from './errors/user-error.ts'
import { maskSecrets, readSecret } from './runner/secrets.ts'
import type { Outcome, Release } from './docker/config/ledger.ts'
import { createContext } from './runner/log.ts'
import { type CleanupReport, reportCleanup } from './runner/report.ts'
import { closeScratch, hasMainEnded, readState, type State } from './runner/state.ts'

/** All of cleanup ends within these: GitHub gives 5 minutes to all post steps of a cancelled job together. */
const BUDGET_MS = 20_000
/** Where main was stopped while it minted, its request may be on its way for most of that time. */
const REVOKE_BUDGET_MS = 40_000

/** The post phase: state → release the login → revoke → report. Each part goes on where another failed. */
export async function cleanUp(): Promise<void> {
  const state = readState()
  if (state === undefined) return
  maskSecrets()
  const report: CleanupReport = { cleanedUp: [], notCleanedUp: [] }
  await attempt(report, () => {
    if (!hasMainEnded()) closeScratch(state)
    else rmSync(state.scratch, { recursive: true, force: true, maxRetries: 3 })
  })
  if (state.stage === 'kept') report.cleanedUp.push(describeKept(state))
  else await Promise.all([logOut(state, report), revoke(state, report)])
  await reportCleanup(report)
}

async function attempt(report: CleanupReport, part: () => Promise<void> | void): Promise<void> {
  try {
    await part()
  } catch (error) {
    report.notCleanedUp.push(messageOf(error))
  }
}

function describeKept({ hosts, directory, expiresAt }: State): string {
  const until = expiresAt === '' ? 'It does not end by itself.' : `It ends ${expiresAt}.`
  return `logout: false: the login to ${hosts.join(', ')} stays in ${configPath(directory)}. ${until}`
}

async function logOut(state: State, report: CleanupReport): Promise<void> {
  if (state.before === undefined) await releaseLogin(state, report)
  else await leaveOwnPlace(state, state.before, report)
}

/** With `isolate`: the variables lead back first, so that the cleanup of earlier steps finds the user's own file. */
async function leaveOwnPlace(
  { directory, hosts, stage }: State,
  before: LoginVariables,
  report: CleanupReport
): Promise<void> {
  await attempt(report, async () => {
    for (const [name, value] of Object.entries(formatVariables(directory, before))) {
      // What another step has set since stays as it is.
      if (process.env[name] === value) core.exportVariable(name, before[name as keyof LoginVariables])
    }
    await removeIsolation(directory)
    if (stage === 'held') report.cleanedUp.push(`${hosts.join(', ')}: logged out; ${directory} is removed.`)
  })
}

async function releaseLogin(state: State, report: CleanupReport): Promise<void> {
  const { directory, loginId, hosts, expiresAt } = state
  await attempt(report, async () => {
    const context = createContext(BUDGET_MS, { untilDeadline: true })
    const releases = await removeLogins(directory, loginId, context).catch((error: unknown) => {
      const remaining = describeRemaining(directory, loginId, hosts, expiresAt)
      throw new Error([messageOf(error), ...remaining].join('\n'))
    })
    // Only where it is empty.
    if (state.newDirectory) removeIfEmpty(state.directory)
    reportReleases(state, releases, report)
    await eraseHelpers(releases, report, context)
  })
}

function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory)
  } catch {
    // Something else is stored there by now.
  }
}

function reportReleases(state: State, releases: readonly Release[], report: CleanupReport): void {
  for (const { host, outcome } of releases.filter((other) => state.hosts.includes(other.host))) {
    const line = `${host}: ${OUTCOMES[outcome]}`
    // Steps that came later may have gone without it.
    if (outcome === 'changed' || (outcome === 'gone' && state.stage === 'held'))
      report.notCleanedUp.push(`${line} See ${configPath(state.directory)}.`)
    else report.cleanedUp.push(line)
  }
  reportUnknown(state, releases, report)
}

async function eraseHelpers(
  releases: readonly Release[],
  report: CleanupReport,
  context: Context
): Promise<void> {
  if (!releases.some(({ helper }) => helper !== undefined)) return
  for (const host of await eraseUnused(releases, context)) {
    report.notCleanedUp.push(
      `${host}: its credential helper holds another login by now, which was left as it is.`
    )
  }
  if (hasMainEnded()) return
  // A helper that main was stopped in can still be storing the login.
  await context.sleep(LATE_STORE_MS)
  await eraseUnused(releases, context)
}

const LATE_STORE_MS = 3_000

/** What was minted and can be revoked is; what only ends is said to end. */
async function revoke(state: State, report: CleanupReport): Promise<void> {
  const { mint, hosts, stage, expiresAt } = state
  if (mint === undefined) return
  if (!mint.sent) {
    // Without a request that would have to be undone, what the job was given is of the kind that only ends.
    if (stage === 'held')
      report.cleanedUp.push(`The minted ${mint.method} can't be revoked; it ends ${expiresAt}.`)
    return
  }
  await attempt(report, async () => {
    const { revokeMinted } = await import('./network.ts')
    const line = await revokeMinted(
      mint,
      hosts,
      readSecret,
      createContext(REVOKE_BUDGET_MS, { untilDeadline: true })
    )
    if (line !== undefined) report.cleanedUp.push(line)
  })
}

const OUTCOMES: Readonly<Record<Outcome, string>> = {
  removed: 'logged out.',
  restored: 'logged out; the login that was there before is back.',
  shared: 'logged out; another job, or an earlier step of this one, is still logged in.',
  gone: 'its login was gone before the job was over: by docker logout, or by a program that wrote the file at the same time.',
  changed: 'its login was changed after this step, so it was left as it is.'
}

/** A host whose login was made, and that the ledger does not know any more. */
function reportUnknown(state: State, releases: readonly Release[], report: CleanupReport): void {
  if (state.stage !== 'held') return
  for (const host of state.hosts) {
    if (releases.some((other) => other.host === host)) continue
    report.notCleanedUp.push(
      `${host}: the record of this login is gone. If it is still there, run: docker logout ${host}`
    )
  }
}
