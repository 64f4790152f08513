import { randomUUID } from 'node:crypto'
import { existsSync, lstatSync, mkdirSync, readdirSync, statSync, symlinkSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import type { Context } from '../../context.ts'
import { messageOf, UserError } from '../../errors/user-error.ts'
import { isSame } from '../../json.ts'
import { findHelper, listHelper } from '../helper.ts'
import { findPodmanAuthFile, readJsonFile } from '../overrides.ts'
import * as files from './file.ts'
import { explainWrite, writeAtomic } from './write.ts'

/** The variables that say where docker, and podman, look for logins; empty where one is not set. */
export interface LoginVariables {
  readonly DOCKER_CONFIG: string
  readonly REGISTRY_AUTH_FILE: string
}

/** Where the job's own login is to lie. */
export interface Isolation {
  readonly directory: string
  /** What the variables were; undefined where an earlier step of the job has made the directory, and removes it. */
  readonly before?: LoginVariables
}

/**
 * The directory of the job: the one that an earlier step of it has made, else a new one, which does not exist yet.
 * @param temp RUNNER_TEMP
 */
export function resolveIsolation(nonce: string, temp: string, env: NodeJS.ProcessEnv): Isolation {
  const { DOCKER_CONFIG = '', REGISTRY_AUTH_FILE = '' } = env
  const current = resolve(DOCKER_CONFIG)
  const shared =
    dirname(current) === resolve(temp) && /^icr-login-docker-[0-9a-f]{16}$/.test(basename(current))
  if (shared && existsSync(current)) return { directory: current }
  return {
    directory: join(resolve(temp), `icr-login-docker-${nonce}`),
    before: { DOCKER_CONFIG, REGISTRY_AUTH_FILE }
  }
}

/**
 * Makes the job's directory, with what the user's clients find in their own ones. In the directory of an earlier step
 * it sees to it that the logins to come go into the file.
 * @throws UserError where the user's config.json can't be read, or the directory can't be written
 */
export async function prepareIsolation(
  { directory, before }: Isolation,
  hosts: readonly string[],
  context: Context
): Promise<void> {
  const home = before === undefined ? undefined : files.dockerConfigDirectory()
  const path = files.configPath(directory)
  const config = home === undefined ? files.readConfig(path).content : await carryOver(home, context)
  const helpers = Object.entries(files.objectAt(config, 'credHelpers'))
  const credHelpers = Object.fromEntries(helpers.filter(([key]) => !hosts.includes(hostOf(key))))
  try {
    if (home !== undefined) {
      mkdirSync(dirname(directory), { recursive: true })
      mkdirSync(directory, { mode: 0o700 })
      linkFromHome(home, directory, context)
    }
    const text = files.formatConfig({ ...config, credHelpers })
    // The steps of a job come one after the other.
    writeAtomic(path, text, { id: randomUUID(), check: () => undefined })
  } catch (error) {
    throw explainWrite(directory, error)
  }
}

/** Helpers also keep logins under addresses, such as https://us.icr.io/v2/. */
function hostOf(key: string): string {
  return key.replace(/^https?:\/\//, '').replace(/\/.*/, '')
}

/** The variables that lead the job's later steps to its own login. podman's is set only where it was. */
export function formatVariables(directory: string, before: LoginVariables): Partial<LoginVariables> {
  return {
    DOCKER_CONFIG: directory,
    ...(before.REGISTRY_AUTH_FILE === '' ? {} : { REGISTRY_AUTH_FILE: files.configPath(directory) })
  }
}

/**
 * Removes the job's directory.
 * @throws UserError where it is still there, or something else is by now
 */
export async function removeIsolation(directory: string): Promise<void> {
  const found = lstatSync(directory, { throwIfNoEntry: false })
  if (found !== undefined && !found.isDirectory()) {
    throw new UserError(
      `${directory} is not the directory that this step made.`,
      'It was left as it is. If it leads to a login of this job, remove that by hand.'
    )
  }
  try {
    await rm(directory, { recursive: true, force: true, maxRetries: 3 })
  } catch (error) {
    throw new UserError(
      `${directory} can't be removed: ${messageOf(error)}`,
      'It holds the login of this job. Remove it by hand.'
    )
  }
}

/** What the user's clients find in their files, so that the job finds it in its own. */
async function carryOver(home: string, context: Context): Promise<files.JsonObject> {
  const { content } = files.readConfig(files.configPath(home))
  // The logins of podman, buildah and skopeo, which DOCKER_CONFIG leads away from.
  const podman = readJsonFile(findPodmanAuthFile(process.env) ?? '') ?? {}
  // A store for all would get the job's own login too.
  const others = Object.entries(content).filter(([key]) => !/^(?:auths|credHelpers|credsStore)$/iu.test(key))
  return {
    ...Object.fromEntries(others),
    auths: { ...files.objectAt(podman, 'auths'), ...files.objectAt(content, 'auths') },
    credHelpers: {
      ...files.objectAt(podman, 'credHelpers'),
      ...(await findStored(content, context)),
      ...files.objectAt(content, 'credHelpers')
    }
  }
}

/** The store for all, as the helper of each host that it holds a login for. */
async function findStored(content: files.JsonObject, context: Context): Promise<Record<string, string>> {
  const store = files.valueOf(content, 'credsStore')
  if (typeof store !== 'string' || store === '') return {}
  let hosts: string[]
  try {
    hosts = await listHelper(await findHelper(store), context)
  } catch (error) {
    context.warning(`This job finds only some of the logins that "${store}" holds: ${messageOf(error)}`)
    // docker leaves an empty entry for what it gives to a store.
    const entries = Object.entries(files.objectAt(content, 'auths'))
    hosts = entries.flatMap(([host, entry]) => (isSame(entry, {}) ? [host] : []))
  }
  return Object.fromEntries(hosts.map((host) => [host, store]))
}

/** Links to all that the user has there, so that a builder that the job makes is the user's own, as without `isolate`. */
function linkFromHome(home: string, directory: string, context: Context): void {
  const names = existsSync(home) ? readdirSync(home) : []
  for (const name of names.filter((each) => !/^config\.json|^icr-login/.test(each))) {
    const target = join(home, name)
    try {
      const found = statSync(target, { throwIfNoEntry: false })
      if (found === undefined) continue
      // Windows lets anyone make a junction, but not a link to a file.
      symlinkSync(target, join(directory, name), found.isDirectory() ? 'junction' : 'file')
    } catch (error) {
      context.warning(`${target} is not found by this job: ${messageOf(error)}`)
    }
  }
}
