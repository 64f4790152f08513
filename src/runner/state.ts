import { basename, isAbsolute, resolve } from 'node:path'
import * as core from '@actions/core'
import type { LoginVariables } from '../docker/config/isolated.ts'
import { isTime } from '../errors/quote.ts'
import { UserError } from '../errors/user-error.ts'
import { isObject, parseObject } from '../json.ts'
import { isMintState, type MintState } from '../mint/journal.ts'
import { isAllowedHost } from '../registry/hosts.ts'
import { appendValues } from './runner-file.ts'

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
// (facts/clients-and-runner.md, "The runner").
const KEY = 'login'

/** Saves that main has begun, before it has done anything that must be undone. */
export function saveStarted(): void {
  appendValues('GITHUB_STATE', { [KEY]: '{}' })
}

/** Saves what post has to undo; called before it is done. The last call counts. */
export function saveState(state: State): void {
  appendValues('GITHUB_STATE', { [KEY]: JSON.stringify(state) })
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
    (newDirectory === undefined || typeof newDirectory === 'boolean') &&
    // It is removed with all that is in it.
    (before === undefined ||
      (isLoginVariables(before) && basename(directory) === `icr-login-docker-${loginId}`)) &&
    isPlainPath(scratch) &&
    basename(scratch) === `icr-login-${loginId}` &&
    Array.isArray(hosts) &&
    hosts.every((host) => typeof host === 'string' && isAllowedHost(host)) &&
    (stage === 'begun' || stage === 'held' || stage === 'kept') &&
    (expiresAt === '' || isTime(expiresAt)) &&
    (mint === undefined || isMintState(mint))
  )
}

function isLoginVariables(value: unknown): boolean {
  return (
    isObject(value) &&
    typeof value['DOCKER_CONFIG'] === 'string' &&
    typeof value['REGISTRY_AUTH_FILE'] === 'string'
  )
}

function isPlainPath(path: unknown): path is string {
  return typeof path === 'string' && isAbsolute(path) && resolve(path) === path
}
