import { childEnvironment } from './child-env.ts'
import { type Context, timeLeft } from '../context.ts'
import type { Credential } from '../credential/credential.ts'
import { quoteRedacted } from '../errors/redact.ts'
import { UserError } from '../errors/user-error.ts'
import { quote } from '../errors/quote.ts'
import { parseObject, stringAt } from '../json.ts'
import { type Finished, findProgram, run } from './run.ts'

/** A `docker-credential-*` program: github.com/docker/docker-credential-helpers, "Development". */
export interface CredentialHelper {
  /** As config.json names it: `pass`, `osxkeychain`, … */
  readonly name: string
  readonly path: string
}

/**
 * Finds the program of the helper that config.json names.
 * @throws UserError where it is not on the PATH
 */
export async function findHelper(name: string): Promise<CredentialHelper> {
  const program = `docker-credential-${name}`
  const path = /^[\w.-]+$/.test(name) ? await findProgram(program) : undefined
  if (path !== undefined) return { name, path }
  throw new UserError(
    `docker's config.json names the credential helper "${quote(name)}", but ${quote(program)} is not on the PATH.`,
    'Install it, or take credsStore or credHelpers out of config.json.'
  )
}

/**
 * What the helper holds for a host; undefined where it holds nothing. The secret is masked.
 * @throws UserError where the helper fails
 */
export async function getFromHelper(
  helper: CredentialHelper,
  host: string,
  context: Context
): Promise<Credential | undefined> {
  const finished = await call(helper, 'get', host, context)
  // Every helper says it in these words, on its standard output (credentials/error.go).
  if (/credentials not found/i.test(finished.stdout + finished.stderr)) return undefined
  const found = parseObject(finished.stdout)
  const [username, secret] = [stringAt(found, 'Username') ?? '', stringAt(found, 'Secret') ?? '']
  if (secret !== '') context.mask(secret)
  checkSuccess(finished, helper, 'get', host, secret)
  return `${username}${secret}` === '' ? undefined : { username, secret }
}

/**
 * Hands a credential to the helper, as docker does.
 * @throws UserError where the helper fails
 */
export async function storeInHelper(
  helper: CredentialHelper,
  host: string,
  { username, secret }: Credential,
  context: Context
): Promise<void> {
  const input = JSON.stringify({ ServerURL: host, Username: username, Secret: secret })
  checkSuccess(await call(helper, 'store', input, context), helper, 'store', host, secret)
}

/**
 * Makes the helper forget what it holds for a host.
 * @throws UserError where the helper fails
 */
export async function eraseFromHelper(
  helper: CredentialHelper,
  host: string,
  context: Context
): Promise<void> {
  checkSuccess(await call(helper, 'erase', host, context), helper, 'erase', host)
}

/**
 * The hosts, or addresses of hosts, that the helper holds a login for.
 * @throws UserError where the helper fails
 */
export async function listHelper(helper: CredentialHelper, context: Context): Promise<string[]> {
  const finished = await call(helper, 'list', '', context)
  checkSuccess(finished, helper, 'list', 'all hosts')
  // Go writes an empty map as null.
  const logins = parseObject(/^\s*(?:null)?\s*$/.test(finished.stdout) ? '{}' : finished.stdout)
  if (logins !== undefined) return Object.keys(logins)
  throw new UserError(
    `The list of the credential helper "${helper.name}" can't be read.`,
    `Does it work by hand? Try: docker-credential-${helper.name} list`
  )
}

type Verb = 'get' | 'store' | 'erase' | 'list'

/** A store with thousands of logins lists them all at once. */
const MAX_LIST_BYTES = 8 * 1024 * 1024

async function call(
  { path }: CredentialHelper,
  verb: Verb,
  input: string,
  context: Context
): Promise<Finished> {
  const [env, timeoutMs] = [childEnvironment(), timeLeft(context)]
  return await run(path, [verb], { input, env, timeoutMs, maxOutputBytes: MAX_LIST_BYTES })
}

function checkSuccess(
  { code, signal, stdout, stderr }: Finished,
  { name }: CredentialHelper,
  verb: Verb,
  host: string,
  secret = ''
): void {
  if (code === 0) return
  const how = code === undefined ? `was ended (${String(signal)})` : `ended with ${code}`
  const message = (stderr + stdout).trim()
  const program = `docker-credential-${name}`
  throw new UserError(
    `The credential helper "${name}" ${how} on "${verb}" for ${host}.`,
    `Does it work by hand? Try: ${verb === 'list' ? `${program} list` : `echo ${host} | ${program} get`}`,
    message === '' ? undefined : quoteRedacted(message, secret)
  )
}
