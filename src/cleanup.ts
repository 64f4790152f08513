import { rmSync } from 'node:fs'
import * as core from '@actions/core'
import type { Context } from './context.ts'
import { configPath } from './docker/config/file.ts'
import { formatVariables, type LoginVariables, removeIsolation } from './docker/config/isolated.ts'
import type { Release } from './docker/config/ledger.ts'
import { describeRemaining, removeLogins } from './docker/config/user-config.ts'
import { removeEmptyDirectories } from './docker/config/write.ts'
import { eraseUnused } from './docker/helper-login.ts'
import { messageOf } from './errors/user-error.ts'
import { createContext } from './runner/log.ts'
import { type CleanupReport, reportCleanup, reportReleases } from './runner/report.ts'
import { maskSecrets, readSecret } from './runner/secrets.ts'
import { closeScratch, hasMainEnded, readState, type State } from './runner/state.ts'

/** All of cleanup ends within these: GitHub gives 5 minutes to all post steps of a cancelled job together. */
const BUDGET_MS = 20_000
/** Where main was stopped while it minted, its request may be on its way for most of that time. */
const REVOKE_BUDGET_MS = 40_000
/** A helper that main was stopped in can still be storing the login. */
const LATE_STORE_MS = 3_000

/** The post phase: state → remove the login → revoke → report. Each part goes on where another failed. */
export async function cleanUp(): Promise<void> {
  const state = readState()
  if (state === undefined) return
  maskSecrets()
  const report: CleanupReport = { cleanedUp: [], notCleanedUp: [] }
  const parts = state.stage === 'kept' ? [describeKept] : [logOut, revoke]
  await attempt(removeScratch, state, report)
  await Promise.all(parts.map(async (part) => attempt(part, state, report)))
  await reportCleanup(report)
}

type Part = (state: State, report: CleanupReport) => Promise<void> | void

async function attempt(part: Part, state: State, report: CleanupReport): Promise<void> {
  try {
    await part(state, report)
  } catch (error) {
    report.notCleanedUp.push(messageOf(error))
  }
}

function removeScratch(state: State): void {
  if (hasMainEnded()) rmSync(state.scratch, { recursive: true, force: true, maxRetries: 3 })
  else closeScratch(state)
}

function describeKept({ hosts, directory, expiresAt }: State, { cleanedUp }: CleanupReport): void {
  const until = expiresAt === '' ? 'It does not end by itself.' : `It ends ${expiresAt}.`
  cleanedUp.push(
    `logout: false: the login to ${hosts.join(', ')} stays in ${configPath(directory)}. ${until}`
  )
}

async function logOut(state: State, report: CleanupReport): Promise<void> {
  if (state.before === undefined) await removeFromConfig(state, report)
  else await removeOwnDirectory(state, state.before, report)
}

/** With `isolate`: the variables lead back first, so that the cleanup of earlier steps finds the user's own file. */
async function removeOwnDirectory(
  { directory, hosts, stage }: State,
  before: LoginVariables,
  { cleanedUp }: CleanupReport
): Promise<void> {
  for (const [name, value] of Object.entries(formatVariables(directory, before))) {
    // What another step has set since stays as it is.
    if (process.env[name] === value) core.exportVariable(name, before[name as keyof LoginVariables])
  }
  await removeIsolation(directory)
  if (stage === 'held') cleanedUp.push(`${hosts.join(', ')}: logged out; ${directory} is removed.`)
}

async function removeFromConfig(state: State, report: CleanupReport): Promise<void> {
  const { directory, loginId, hosts, expiresAt } = state
  const context = createContext(BUDGET_MS, { untilDeadline: true })
  const releases = await removeLogins(directory, loginId, context).catch((error: unknown) => {
    const remaining = describeRemaining(directory, loginId, hosts, expiresAt)
    throw new Error([messageOf(error), ...remaining].join('\n'))
  })
  if (state.newDirectory) removeEmptyDirectories(directory, '.')
  reportReleases(state, releases, report)
  await eraseFromHelpers(state, releases, report, context)
}

async function eraseFromHelpers(
  { directory }: State,
  releases: readonly Release[],
  { notCleanedUp }: CleanupReport,
  context: Context
): Promise<void> {
  if (!releases.some(({ helper }) => helper !== undefined)) return
  for (const host of await eraseUnused(directory, releases, context))
    notCleanedUp.push(`${host}: its credential helper holds another login by now, which was left as it is.`)
  if (hasMainEnded()) return
  await context.sleep(LATE_STORE_MS)
  await eraseUnused(directory, releases, context)
}

/** What was minted and can be revoked is; what only expires is said to. */
async function revoke({ mint, hosts, stage, expiresAt }: State, { cleanedUp }: CleanupReport): Promise<void> {
  // Without a request that would have to be undone, what the job was given is of the kind that only expires.
  if (mint?.sent !== true) {
    if (mint !== undefined && stage === 'held')
      cleanedUp.push(`The minted ${mint.method} can't be revoked; it ends ${expiresAt}.`)
    return
  }
  const { revokeMinted } = await import('./network.ts')
  const context = createContext(REVOKE_BUDGET_MS, { untilDeadline: true })
  const line = await revokeMinted(mint, hosts, readSecret, context)
  if (line !== undefined) cleanedUp.push(line)
}
