import { isUtf8 } from 'node:buffer'
import { existsSync, lstatSync, readFileSync, readlinkSync, realpathSync, statSync } from 'node:fs'
import { homedir, userInfo } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { codeOf, UserError } from '../../errors/user-error.ts'
import { isObject } from '../../json.ts'

export type JsonObject = Readonly<Record<string, unknown>>

/** docker's config.json as it stands. */
export interface ConfigFile {
  /** The file itself, where config.json is a link. */
  readonly path: string
  /** null: there is no file. */
  readonly text: string | null
  readonly content: JsonObject
}

/**
 * Where docker keeps its config.json: `$DOCKER_CONFIG`, else `~/.docker`.
 * @throws UserError where DOCKER_CONFIG begins with `~`, which only a shell expands
 */
export function dockerConfigDirectory(): string {
  const set = process.env['DOCKER_CONFIG'] ?? ''
  if (set.startsWith('~')) {
    throw new UserError(
      `DOCKER_CONFIG is "${set}". Docker does not expand "~", and uses a directory of that name.`,
      'Set DOCKER_CONFIG to an absolute path.'
    )
  }
  return set === '' ? homeConfigDirectory() : resolve(set)
}

/** `~/.docker`. An empty HOME counts as none, as for docker. */
export function homeConfigDirectory(): string {
  return resolve(homedir() || userInfo().homedir, '.docker')
}

/** The path of the config.json in a directory. */
export function configPath(directory: string): string {
  return join(directory, 'config.json')
}

/**
 * Reads config.json. A missing or an empty file is an empty config, as for docker.
 * @throws UserError where docker could not read it either, or it could not be restored
 */
export function readConfig(path: string): ConfigFile {
  const target = followLinks(path)
  const text = readText(target)
  return { path: target, text, content: parseConfig(path, text) }
}

/** Where a link leads, even to a file that is not there yet: docker follows links too. */
function followLinks(path: string): string {
  try {
    return realpathSync(path)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') return path
  }
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true)
    return followLinks(resolve(dirname(path), readlinkSync(path)))
  return join(existsSync(dirname(path)) ? realpathSync(dirname(path)) : dirname(path), basename(path))
}

function readText(path: string): string | null {
  try {
    // A pipe would block forever.
    if (path !== NOWHERE && !statSync(path).isFile()) throw unreadable(path, 'it is not a file')
    const bytes = readFileSync(path)
    if (isUtf8(bytes)) return bytes.toString()
  } catch (error) {
    const code = codeOf(error)
    if (code === '') throw error
    if (code === 'ENOENT') return null
    throw unreadable(path, `it can't be read (${code})`)
  }
  throw unreadable(path, 'it is not UTF-8')
}

/** Many link config.json there, so that no login is ever kept. */
export const NOWHERE = '/dev/null'

function parseConfig(path: string, text: string | null): JsonObject {
  if (text === null || text.trim() === '') return {}
  if (text.startsWith('\uFEFF'))
    throw unreadable(path, 'it begins with a byte order mark, which docker does not read')
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch {
    throw unreadable(path, 'it is not JSON')
  }
  if (!isObject(content)) throw unreadable(path, 'it is not a JSON object')
  checkKeys(path, text)
  for (const key of KEYS) {
    if (spellingsOf(content, key).length > 1) throw unreadable(path, 'a key stands in it twice')
    if (key !== 'credsStore' && !isObject(valueOf(content, key) ?? {}))
      throw unreadable(path, `its ${key} is not an object`)
  }
  return content
}

const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"\s*:?|[{}[\]]/g
/** V8 formats some thousand levels; no config.json has more than ten. */
const MAX_DEPTH = 500

/** @throws UserError for what JSON.parse drops without a word, or JSON.stringify can't format */
function checkKeys(path: string, text: string): void {
  const open: Set<string>[] = []
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === '{' || token === '[') open.push(new Set())
    else if (token === '}' || token === ']') open.pop()
    else if (token.endsWith(':')) {
      const key = String(JSON.parse(token.slice(0, -1)))
      const keys = open.at(-1)
      if (keys?.has(key) === true) throw unreadable(path, 'a key stands in it twice')
      keys?.add(key)
    }
    if (open.length > MAX_DEPTH) throw unreadable(path, `it is nested more than ${MAX_DEPTH} levels deep`)
  }
}

function unreadable(path: string, why: string): UserError {
  return new UserError(`${path} can't be used: ${why}.`, 'It was left as it is. Mend or move it.')
}

const KEYS = ['auths', 'credHelpers', 'credsStore'] as const
type Key = (typeof KEYS)[number]

/** The spellings of a key in a content: docker takes these keys in any case, as Go's encoding/json does. */
function spellingsOf(content: JsonObject, key: Key): string[] {
  return Object.keys(content).filter((name) => new RegExp(`^${key}$`, 'iu').test(name))
}

function findKey(content: JsonObject, key: Key): string {
  return spellingsOf(content, key)[0] ?? key
}

/** The value under a key of config.json that docker takes in any case. */
export function valueOf(content: JsonObject, key: Key): unknown {
  return content[findKey(content, key)]
}

/** The object under a key; empty where there is none. */
export function objectAt(content: JsonObject, key: Key): JsonObject {
  const value = valueOf(content, key)
  return isObject(value) ? value : {}
}

/** The entry of a host, whatever it is; undefined where there is none. */
export function entryOf({ content }: ConfigFile, host: string): unknown {
  const auths = objectAt(content, 'auths')
  return Object.hasOwn(auths, host) ? auths[host] : undefined
}

/** The content with these entries in it; undefined takes an entry out. */
export function withEntries(content: JsonObject, entries: ReadonlyMap<string, unknown>): JsonObject {
  if (entries.size === 0) return content
  const auths = Object.entries({ ...objectAt(content, 'auths'), ...Object.fromEntries(entries) })
  const left = Object.fromEntries(auths.filter(([, entry]) => entry !== undefined))
  return { ...content, [findKey(content, 'auths')]: left }
}

/** The credential helper that config.json names for a host: its own, else the store for all. */
export function helperFor({ content }: ConfigFile, host: string): string | undefined {
  const helpers = objectAt(content, 'credHelpers')
  // An empty name means the file, even where there is a store (docs/references.md, "Credential helpers").
  const name = Object.hasOwn(helpers, host) ? helpers[host] : valueOf(content, 'credsStore')
  return typeof name === 'string' && name !== '' ? name : undefined
}

/** The text of a config.json as docker lays it out: Go's encoding/json with tabs. */
export function formatConfig(content: JsonObject): string {
  return JSON.stringify(content, undefined, '\t').replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  )
}

/** The text that `formatConfig` would not give back, null for no file; undefined where it would. */
export function findOriginal({ text, content }: ConfigFile): string | null | undefined {
  return isObject(valueOf(content, 'auths')) && formatConfig(content) === text ? undefined : text
}

/** The text for a content without logins of ours: the original, where nobody else has changed it meanwhile. */
export function restoreText(content: JsonObject, original: string | null | undefined): string | null {
  if (original === undefined) return formatConfig(content)
  const before = parseConfig('config.json', original)
  // An `auths` that only ours made necessary goes again.
  const empty = [content, before].every((each) => Object.keys(objectAt(each, 'auths')).length === 0)
  const bare = empty ? { ...content, [findKey(content, 'auths')]: valueOf(before, 'auths') } : content
  const text = formatConfig(bare)
  return text === formatConfig(before) ? original : text
}
