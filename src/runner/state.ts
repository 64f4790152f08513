import { lstatSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, isAbsolute, resolve } from 'node:path'
import * as core from '@actions/core'
import type { LoginVariables } from '../docker/config/isolated.ts'
import { isTime } from '../errors/quote.ts'
import { UserError } from '../errors/user-error.ts'
import { isObject, parseObject } from '../json.ts'
import { isMintState, type MintState } from '../mint/journal.ts'
import { isAllowedHost } from '../registry/hosts.ts'

/** What main leaves for post. Never a secret. */
export interface State {
  /** Names the job's login in the ledger. */
  readonly loginId: string
  /** The directory of the config.json that was logged in to. */
  readonly directory: string
  /** Whether it was not there before: a main that was killed may leave it empty. */
  readonly newDirectory?: boolean
  /** With `isolate`, in the step that made the directory: what the job's variables were before. */
  readonly before?: LoginVariables
  /** Where the logins were made; only a main that was killed leaves anything there. */
  readonly scratch: string
  readonly hosts: readonly string[]
  /** How far main came: begun; logged in; logged in for good (`logout: false`). */
  readonly stage: 'begun' | 'held' | 'kept'
  /** When the credential ends, in ISO 8601; empty where it does not. */
  readonly expiresAt: string
  /** What was minted, or was about to be. */
  readonly mint?: MintState
}

// Always saved, and first: a step in between can set STATE_ of a key that main did not save, but of no other
// (docs/references.md, "Runner").
const KEY = 'login'
const MAIN_KEY = 'main'

/** Saves that main has started, before it has done anything that must be undone. */
export function saveStarted(): void {
  core.saveState(KEY, {})
  core.saveState(MAIN_KEY, 'started')
}

/** Saves that main has ended by itself, successfully or not. */
export function saveEnded(): void {
  core.saveState(MAIN_KEY, 'ended')
}

/** Whether main ended by itself: if not, what it started can still be running, and main too. */
export function hasMainEnded(): boolean {
  return core.getState(MAIN_KEY) === 'ended'
}

/**
 * Saves what post has to undo; called before it is done. The last call counts.
 * @throws UserError where post would refuse this state, so that nothing would be cleaned up
 */
export function saveState(state: State): void {
  if (!isState(state))
    throw new UserError(
      'The state for the cleanup is not valid, so nothing was logged in.',
      'Check the paths in HOME, DOCKER_CONFIG and RUNNER_TEMP.'
    )
  core.saveState(KEY, state)
}

/**
 * What main saved; undefined where there is nothing to undo.
 * @throws UserError where it is not what main saved
 */
export function readState(): State | undefined {
  const text = core.getState(KEY)
  if (text === '' || text === '{}') return undefined
  const state = parseObject(text)
  if (isState(state)) return state
  throw new UserError(
    'What this step saved for its cleanup was changed since, so nothing was cleaned up.',
    'Run docker logout for the registries of this job, and look for the step that writes STATE_ variables.'
  )
}

function isState(state: unknown): state is State {
  if (!isObject(state)) return false
  const { loginId, directory, newDirectory, before, scratch, hosts, stage, expiresAt, mint } = state
  return (
    typeof loginId === 'string' &&
    /^[0-9a-f]{16}$/.test(loginId) &&
    isPlainPath(directory) &&
    ['undefined', 'boolean'].includes(typeof newDirectory) &&
    // It is removed with all that is in it.
    (before === undefined ||
      (isVariables(before) && basename(directory) === `icr-login-docker-${loginId}`)) &&
    isPlainPath(scratch) &&
    basename(scratch) === `icr-login-${loginId}` &&
    Array.isArray(hosts) &&
    hosts.every((host) => typeof host === 'string' && isAllowedHost(host)) &&
    ['begun', 'held', 'kept'].some((each) => each === stage) &&
    (expiresAt === '' || isTime(expiresAt)) &&
    (mint === undefined || isMintState(mint))
  )
}

function isVariables(value: unknown): boolean {
  return (
    isObject(value) &&
    ['DOCKER_CONFIG', 'REGISTRY_AUTH_FILE'].every((name) => typeof value[name] === 'string')
  )
}

function isPlainPath(path: unknown): path is string {
  return typeof path === 'string' && isAbsolute(path) && resolve(path) === path
}

/** Puts a file in the place of the scratch directory: docker can't make it again, and a main that still runs sees it. */
export function closeScratch({ scratch }: State): void {
  mkdirSync(dirname(scratch), { recursive: true })
  for (let attempt = 1; ; attempt++) {
    rmSync(scratch, { recursive: true, force: true, maxRetries: 3 })
    try {
      writeFileSync(scratch, '', { flag: 'wx', mode: 0o600 })
      return
    } catch (error) {
      if (attempt === 10) throw error
    }
  }
}

/**
 * Checks that post has not begun: where no signal reaches it, a cancelled main outlives its own cleanup.
 * @throws UserError where it has
 */
export function checkActive({ scratch }: State): void {
  if (lstatSync(scratch, { throwIfNoEntry: false })?.isFile() !== true) return
  throw new UserError(
    'The cleanup of this step has already run, so the login was stopped.',
    'Nothing is logged in. The job was cancelled before the login had ended.'
  )
}
