import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { childEnvironment } from './child-env.ts'
import { type Context, jitter, timeLeft } from '../context.ts'
import type { Credential } from '../credential/credential.ts'
import { explainRefusal, findKnownMessage, parseErrors } from '../errors/known-messages.ts'
import { quoteRedacted } from '../errors/redact.ts'
import { UserError } from '../errors/user-error.ts'
import { isObject, parseObject } from '../json.ts'
import type { AuthEntry } from './config/ledger.ts'
import { type Finished, run } from './run.ts'

/** How one `docker login` is to be made. */
export interface DockerLogin {
  readonly docker: string
  readonly host: string
  readonly credential: Credential
  /** The credential helper that the user's config names for the host. */
  readonly helper: string | undefined
  /** A directory for this login alone, which does not exist yet. */
  readonly directory: string
  /** Until then a refusal is retried: the registry may not know a new credential yet; milliseconds since 1970. */
  readonly settlesAt?: number | undefined
}

const ATTEMPTS = 3
const FIRST_WAIT_MS = 500
const POLL_MS = 1_000

/**
 * Runs `docker login` in a separate config directory. A network fault is retried, a refusal is not.
 * @returns the entry that docker wrote, empty where a helper has the secret; undefined where it exited with 0 and wrote none
 * @throws UserError where docker could not log in
 */
export async function dockerLogin(login: DockerLogin, context: Context): Promise<AuthEntry | undefined> {
  prepareConfig(login)
  for (let attempt = 1; ; attempt++) {
    context.checkActive()
    const finished = await runLogin(login, context)
    context.checkActive()
    if (finished.code === 0) return readEntry(login)
    const message = parseStderr(finished.stderr)
    const reason = findRetryReason(login, message, attempt, context)
    const wait = reason === NOT_KNOWN ? POLL_MS : jitter(FIRST_WAIT_MS * 2 ** attempt)
    if (reason === undefined || wait >= timeLeft(context)) throw explain(login, finished, message, context)
    context.info(`${login.host}: ${reason}. docker login again in ${(wait / 1000).toFixed(1)} s.`)
    await context.sleep(wait)
  }
}

const NOT_KNOWN = 'it does not know the new credential yet'

/** Why another attempt can succeed; undefined where none can. */
function findRetryReason(
  { settlesAt = 0 }: DockerLogin,
  message: string,
  attempt: number,
  context: Context
): string | undefined {
  if (REFUSED.test(message) && context.now() + POLL_MS <= settlesAt) return NOT_KNOWN
  if (attempt >= ATTEMPTS) return undefined
  if (message.includes(NOT_ASKED)) return 'its first answer asked for no secret'
  return TRANSIENT.exec(message)?.[0]
}

function prepareConfig({ directory, host, helper }: DockerLogin): void {
  mkdirSync(directory, { mode: 0o700 })
  const config = {
    // With no entry at all docker may choose a native store by itself (cli/config/config.go, DetectDefaultStore).
    auths: { 'x.invalid': {} },
    ...(helper === undefined ? {} : { credHelpers: { [host]: helper } })
  }
  writeFileSync(join(directory, 'config.json'), JSON.stringify(config), { mode: 0o600 })
}

async function runLogin(login: DockerLogin, context: Context): Promise<Finished> {
  const { docker, host, credential, directory } = login
  const { username, secret } = credential
  // The directory is named twice: a wrapper such as sudo does not pass DOCKER_CONFIG on.
  const args = ['--config', directory, 'login', '--username', username, '--password-stdin', host]
  const env = childEnvironment(directory)
  return await run(docker, args, { input: secret, env, timeoutMs: timeLeft(context) })
}

function readEntry({ directory, host }: DockerLogin): AuthEntry | undefined {
  const file = join(directory, 'config.json')
  const config = existsSync(file) ? parseObject(readFileSync(file, 'utf8')) : undefined
  const entry = isObject(config?.['auths']) ? config['auths'][host] : undefined
  return isObject(entry) ? entry : undefined
}

/** docker's own last words: not its log lines, and no body, but the messages in it. */
function parseStderr(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => !/^(?:time=|WARNING!|\s*$)/.test(line))
  const line = (lines.at(-1) ?? '')
    .replace(/^Error response from daemon: /, '')
    .replace(/^(?:Get "[^"]*": )+/, '')
  const brace = line.indexOf('{')
  const messages = brace < 0 ? '' : parseErrors(line.slice(brace))
  return messages === '' ? line : line.slice(0, brace) + messages
}

// What docker 28.2.2 says of each fault of a registry on loopback. It tells them apart in words alone.
const TRANSIENT = new RegExp(
  [
    'connection refused|connection reset|broken pipe|\\bEOF\\b|malformed HTTP|proxyconnect',
    'i/o timeout|TLS handshake timeout|Client\\.Timeout|context deadline exceeded',
    'no such host|server misbehaving|failure in name resolution|network is unreachable|no route to host',
    '(?:failed with status|unexpected HTTP status): (?:408|425|429|5\\d\\d)|toomanyrequests',
    '^(?:Bad Gateway|Service Unavailable|Gateway Timeout)$',
    'unable to decode token response|did not include a token'
  ].join('|'),
  'i'
)

// The ping failed, so docker saw no challenge and went on without the secret: nobody has refused it yet.
const NOT_ASKED = 'failed with status: 401'

// The reason of a proxy's refusal, which Go gives without a word about the proxy (net/http, transport.go);
// "Unauthorized" is tinyproxy's for a wrong password, and of a registry there is always more to read.
const PROXY_REFUSED =
  /^(?:Proxy Authentication Required|Unauthorized|Forbidden|Bad Request|Not Found|Method Not Allowed)$/

const UNREACHED =
  'Run the job again. If it stays: can this runner reach that host, and does it need a proxy (HTTPS_PROXY)?'

/** What to check where docker does not do what it says. */
export const WHICH_DOCKER =
  'Check which docker is on the PATH, and that it is for this processor: command -v docker; docker --version'

/** A shell's words for a program of another processor, or for a wrapper script whose docker is missing. */
const NO_DOCKER = /syntax error|exec format error|cannot execute|command not found|: not found$/i
const REFUSED = /\b40[0134]\b|unauthorized|denied|forbidden|incorrect|password|credential|not valid/i

function explain(login: DockerLogin, finished: Finished, message: string, context: Context): UserError {
  const { host, credential } = login
  const { code, signal } = finished
  const failed = `docker login for ${host}`
  if (code === undefined) {
    const how = timeLeft(context) === 0 ? 'took longer than timeout allows' : `was ended (${String(signal)})`
    return new UserError(`${failed} ${how}.`, UNREACHED)
  }
  // Without docker's addresses and wrappings.
  const fault = TRANSIENT.exec(message)?.[0]
  if (fault !== undefined)
    return new UserError(`${host} could not be reached by docker login: ${fault}.`, UNREACHED)
  if (PROXY_REFUSED.test(message))
    return new UserError(
      `The proxy did not let docker login through to ${host}: ${message}.`,
      'Check HTTPS_PROXY, with its user and password, and that the proxy allows that host.'
    )
  if (/x509:|certificate/i.test(message))
    return new UserError(
      `The certificate of ${host} is not trusted by docker.`,
      "If a proxy of yours opens TLS, name its CA's file in SSL_CERT_FILE."
    )
  if (message === '') return new UserError(`${failed} exited with code ${code} and no output.`, WHICH_DOCKER)
  if (NO_DOCKER.test(message))
    return new UserError(`${failed} failed: the docker on the PATH can't run here.`, WHICH_DOCKER)
  const { username, secret } = credential
  if (REFUSED.test(message) || findKnownMessage(message) !== undefined)
    return explainRefusal(`${host} refused the login as ${username}`, message, secret)
  return new UserError(
    `${failed} failed with exit code ${code}.`,
    'Check that docker login works by hand on this runner.',
    quoteRedacted(message, secret)
  )
}
