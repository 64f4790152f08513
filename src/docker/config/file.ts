import { isUtf8 } from 'node:buffer'
import { homedir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { codeOf, UserError } from '../../errors/user-error.ts'
import { lookAt, readFile, readlink, realpath, stat } from '../../files.ts'
import { isObject } from '../../json.ts'
import type { AuthEntry } from './ledger.ts'

/** Where docker keeps its config.json: `$DOCKER_CONFIG`, else `~/.docker`. */
export function dockerConfigDirectory(): string {
  const set = process.env['DOCKER_CONFIG']
  return set === undefined || set === '' ? join(homedir(), '.docker') : resolve(set)
}

/** The path of the config.json in a directory. */
export function configPath(directory: string): string {
  return join(directory, 'config.json')
}

/** docker's config.json as it stands. */
export interface ConfigFile {
  /** The file itself, where config.json is a link. */
  readonly path: string
  /** null: there is no file. */
  readonly text: string | null
  readonly content: Readonly<Record<string, unknown>>
}

/**
 * Reads config.json. A missing or an empty file is an empty config, as for docker.
 * @throws UserError where docker could not read it either; it is left as it is
 */
export async function readConfig(path: string): Promise<ConfigFile> {
  return await readConfigAt(await followLinks(path), path)
}

/** The same where it is known already which file `path` leads to. */
export async function readConfigAt(target: string, path: string): Promise<ConfigFile> {
  const text = await readText(target)
  return { path: target, text, content: text === null || text.trim() === '' ? {} : parseConfig(path, text) }
}

async function readText(path: string): Promise<string | null> {
  try {
    // A pipe would keep us waiting.
    if (path !== NOWHERE && !(await stat(path)).isFile()) throw unreadable(path, 'it is not a file')
    const bytes = await readFile(path)
    if (isUtf8(bytes)) return bytes.toString()
  } catch (error) {
    const code = codeOf(error)
    if (code === '') throw error
    if (code === 'ENOENT') return null
    throw unreadable(path, `it can't be read (${code})`)
  }
  throw unreadable(path, 'it is not UTF-8')
}

/** Where many let config.json lead, so that no login is ever kept. */
const NOWHERE = '/dev/null'

/**
 * A link to /dev/null is as good as an empty file for who reads it; a new file in its place would be no device.
 * @throws UserError where config.json leads there
 */
export function checkHolds({ path }: ConfigFile, link: string): void {
  if (path !== NOWHERE) return
  throw new UserError(
    `${link} can't hold a login: it leads to /dev/null.`,
    'Give isolate: true, which keeps this login in a file of its own, or put a file there.'
  )
}

/** Where a link leads, even to a file that is not there yet: docker follows links too. */
export async function followLinks(path: string): Promise<string> {
  try {
    if ((await lookAt(path)) !== undefined) return await realpath(path)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') return path
  }
  // The same name as once the file is there: the directory may be a link, or lie below one.
  const directory = await realpath(dirname(path)).catch(() => dirname(path))
  const link = (await lookAt(path)) === undefined ? undefined : await readlink(path).catch(() => undefined)
  return link === undefined ? join(directory, basename(path)) : await followLinks(resolve(directory, link))
}

function parseConfig(path: string, text: string): Record<string, unknown> {
  if (text.startsWith('\uFEFF'))
    throw unreadable(path, 'it begins with a byte order mark, which docker does not read')
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch {
    throw unreadable(path, 'it is not JSON')
  }
  if (!isObject(content)) throw unreadable(path, 'it is not a JSON object')
  for (const key of ['auths', 'credHelpers']) {
    if (content[key] !== undefined && !isObject(content[key]))
      throw unreadable(path, `its ${key} is not an object`)
  }
  return content
}

export function unreadable(path: string, why: string): UserError {
  return new UserError(
    `${path} can't be used: ${why}.`,
    'It was left as it is. Mend or move it, then run the job again.'
  )
}

/** The entry of a host; null where there is none. */
export function entryOf({ content }: ConfigFile, host: string): AuthEntry | null {
  const entry = isObject(content['auths']) ? content['auths'][host] : undefined
  return isObject(entry) ? entry : null
}

/** The credential helper that config.json names for a host: its own, else the store for all. */
export function helperFor({ content }: ConfigFile, host: string): string | undefined {
  const helpers = isObject(content['credHelpers']) ? content['credHelpers'] : {}
  // An empty name means the file, even where there is a store (cli/config/configfile, getConfiguredCredentialStore).
  const name = Object.hasOwn(helpers, host) ? helpers[host] : content['credsStore']
  return typeof name === 'string' && name !== '' ? name : undefined
}

/** An error of the file system, for a person; any other as it is. */
export function explainWrite(path: string, error: unknown): unknown {
  const code = codeOf(error)
  if (code === '') return error
  return new UserError(
    `${path} can't be written (${code}).`,
    'It was left as it is. docker keeps logins there: make the directory writable, or set DOCKER_CONFIG to another one.'
  )
}
