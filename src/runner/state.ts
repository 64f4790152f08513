import { basename, isAbsolute, resolve } from 'node:path'
import * as core from '@actions/core'
import { UserError } from '../errors/user-error.ts'
import { isObject, parseObject } from '../json.ts'
import type { MintedId, Minter } from '../mint/method.ts'
import { isAllowedHost, isIamOrigin } from '../registry/hosts.ts'
import { appendValues } from './runner-file.ts'

/** What main leaves for post. Never a secret. */
export interface State {
  /** Names the job's login in the ledger. */
  readonly nonce: string
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
  readonly end: string
  /** What was minted, or was about to be. */
  readonly mint?: MintState
}

/** The variables that say where docker, and podman, look for logins; empty where one is not set. */
export interface LoginVariables {
  readonly DOCKER_CONFIG: string
  readonly REGISTRY_AUTH_FILE: string
}

/** What post needs to find and revoke what was minted; written down before the first request that makes it. */
export interface MintState {
  readonly way: string
  /** The name that it carries at IBM Cloud. */
  readonly name: string
  readonly iamUrl: string
  readonly minter: Minter
  /** The hash of the secret that minted; empty where there was none. */
  readonly digest: string
  /** The trusted profile of a keyless identity, else empty. */
  readonly profile: string
  /** Whose key was made; empty where it was no key. */
  readonly serviceId: string
  /** Whether a request was sent that was not refused, so that there may be something. */
  readonly sent: boolean
  readonly made: readonly MintedId[]
  /** When it ends at the latest, in ISO 8601. */
  readonly ends: string
  /** Until then a request without an answer may still make something; milliseconds since 1970, 0 for none. */
  readonly openUntil: number
}

// Always saved, and first: a step in between can set STATE_ of a key that main did not save, but of no other
// (facts/clients-and-runner.md, "The runner").
const KEY = 'login'

/** Saves that main has begun, before it has done anything that must be undone. */
export function saveBegun(): void {
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
  const { nonce, directory, newDirectory, before, scratch, hosts, stage, end, mint } = state
  return (
    typeof nonce === 'string' &&
    /^[0-9a-f]{16}$/.test(nonce) &&
    isPlainPath(directory) &&
    (newDirectory === undefined || typeof newDirectory === 'boolean') &&
    // It is removed with all that is in it.
    (before === undefined ||
      (isLoginVariables(before) && basename(directory) === `icr-login-docker-${nonce}`)) &&
    isPlainPath(scratch) &&
    basename(scratch) === `icr-login-${nonce}` &&
    Array.isArray(hosts) &&
    hosts.every((host) => typeof host === 'string' && isAllowedHost(host)) &&
    (stage === 'begun' || stage === 'held' || stage === 'kept') &&
    (end === '' || isTime(end)) &&
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

function isMintState(state: unknown): state is MintState {
  if (!isObject(state)) return false
  const { way, name, iamUrl, minter, digest, profile, serviceId, sent, made, ends, openUntil } = state
  return (
    [way, name, iamUrl, minter, digest, profile, serviceId, ends].every(
      (value) => typeof value === 'string'
    ) &&
    /^icr-login\/[\w./-]{1,100}$/.test(String(name)) &&
    isIamOrigin(String(iamUrl)) &&
    (serviceId === '' || /^iam-ServiceId-[\w-]+$/.test(String(serviceId))) &&
    Array.isArray(made) &&
    made.every(isMintedId) &&
    typeof sent === 'boolean' &&
    isTime(ends) &&
    typeof openUntil === 'number'
  )
}

function isMintedId(value: unknown): boolean {
  if (!isObject(value)) return false
  const { id, host } = value
  const known = host === undefined || (typeof host === 'string' && isAllowedHost(host))
  return known && typeof id === 'string' && /^[\w-]{1,100}$/.test(id)
}

/** A time as `formatTime` writes it; it is shown in the log. */
function isTime(value: unknown): boolean {
  return typeof value === 'string' && /^(?:\d{4}|[+-]\d{6})-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(value)
}

function isPlainPath(path: unknown): path is string {
  return typeof path === 'string' && isAbsolute(path) && resolve(path) === path
}
