import type { Context } from '../context.ts'
import type { Credential } from '../credential/credential.ts'
import { messageOf, UserError } from '../errors/user-error.ts'
import { isObject, isSame, stringAt } from '../json.ts'
import { WHICH_DOCKER } from './cli.ts'
import {
  type ConfigFile,
  configPath,
  entryOf,
  findOriginal,
  homeConfigDirectory,
  readConfig,
  restoreText,
  withEntries
} from './config/file.ts'
import type { AuthEntry } from './config/ledger.ts'
import { transact, writeConfig } from './config/transaction.ts'

/** Whether an entry of config.json is what docker stores for a credential. */
export function isLogin(entry: AuthEntry, { username, secret }: Credential, context: Context): boolean {
  const basic = Buffer.from(stringAt(entry, 'auth') ?? '', 'base64').toString()
  // docker stores an identity token instead of the secret, where the registry issues one.
  const identityToken = stringAt(entry, 'identitytoken')
  if (identityToken === undefined) return basic === `${username}:${secret}`
  context.mask(identityToken)
  return basic.startsWith(`${username}:`)
}

/** A config.json of the user's, as it was before the login. */
export interface UserConfig {
  readonly directory: string
  readonly file: ConfigFile
}

/** The one in the home directory, where DOCKER_CONFIG leads elsewhere too; none where it can't be read, or the user has no home. */
export function readHomeConfig(): UserConfig[] {
  try {
    const directory = homeConfigDirectory()
    return [{ directory, file: readConfig(configPath(directory)) }]
  } catch {
    return []
  }
}

/**
 * Undoes the login of a docker that does not use the directory that it is passed, such as a wrapper that drops it.
 * @returns the error for the host
 */
export async function undoStray(
  { host, credential }: { readonly host: string; readonly credential: Credential },
  userConfigs: readonly UserConfig[],
  context: Context
): Promise<UserError> {
  const failed = `docker login for ${host} exited with code 0, but stored`
  for (const { directory, file } of userConfigs) {
    const path = configPath(directory)
    try {
      const entry = entryOf(readConfig(path), host)
      const isOurs = isObject(entry) && isLogin(entry, credential, context)
      if (!isOurs || isSame(entry, entryOf(file, host))) continue
      await undoLogin(directory, host, entry, file, context)
      return new UserError(
        `${failed} the credential in ${path}, not in the directory in --config. The login was removed from ${path}.`,
        WHICH_DOCKER
      )
    } catch (error) {
      return new UserError(
        `${failed} the credential in ${path}, where it can't be removed: ${messageOf(error)}`,
        `Run: docker logout ${host}`
      )
    }
  }
  return new UserError(`${failed} no credential.`, WHICH_DOCKER)
}

/**
 * Gives a host the entry again that it had before docker logged in to it in the user's own config.json.
 * @param entry that docker wrote; another one is left
 * @param before config.json as it was then
 */
async function undoLogin(
  directory: string,
  host: string,
  entry: unknown,
  before: ConfigFile,
  context: Context
): Promise<void> {
  await transact(directory, context, async (files) => {
    if (!isSame(entryOf(files.file, host), entry)) return
    const entries = new Map([[host, entryOf(before, host)]])
    const content = withEntries(files.file.content, entries)
    const text = restoreText(content, findOriginal(before))
    await writeConfig(files, text === null ? new Map() : entries, [text])
  })
}
