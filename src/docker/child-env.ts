import { knownSecrets } from '../errors/redact.ts'

/**
 * What docker and credential helpers get of the job's environment: what they need to find their files, the network and
 * their key stores. Nothing else: no `INPUT_*`, no token of GitHub's, and none of docker's own settings, which could send
 * the secret elsewhere (docs/references.md, "docker CLI").
 */
const ALLOWED = new Set([
  ...['PATH', 'PATHEXT', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'TMPDIR', 'TEMP', 'TMP', 'LANG'],
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY', 'SSL_CERT_FILE', 'SSL_CERT_DIR'],
  ...['GNUPGHOME', 'GPG_TTY', 'DBUS_SESSION_BUS_ADDRESS', 'DISPLAY'],
  ...['SYSTEMROOT', 'SYSTEMDRIVE', 'WINDIR', 'COMSPEC', 'APPDATA', 'LOCALAPPDATA'],
  ...['USERPROFILE', 'USERNAME', 'HOMEDRIVE', 'HOMEPATH'],
  // By this one the runner finds what a job left running (docs/references.md, "Runner").
  'RUNNER_TRACKING_ID'
])
const ALLOWED_PREFIXES = ['LC_', 'PASSWORD_STORE_', 'PROGRAM', 'XDG_']

// Without a daemon, docker exchanges the secret for a token itself: no daemon is handed the secret. Nobody can listen on
// either address, where a named pipe could be made by any user.
const NO_DAEMON = process.platform === 'win32' ? 'tcp://127.0.0.1:0' : 'unix:///nonexistent/icr-login.sock'

// docker and most helpers are Go programs that end before collecting garbage pays: a login takes a seventh longer with it
// and with more threads. Near the limit garbage is collected all the same (go.dev/doc/gc-guide, "Memory limit").
const GO_RUNTIME = { GOGC: 'off', GOMAXPROCS: '1', GOMEMLIMIT: '64MiB' }

/**
 * The environment of a child process: no variable that holds a secret of this step is passed on.
 * @param dockerConfig the directory of the config.json that the child uses
 */
export function childEnvironment(dockerConfig?: string): Record<string, string> {
  const passed = Object.entries(process.env).flatMap(([name, value]): [string, string][] =>
    value !== undefined && isAllowed(name.toUpperCase()) && !holdsSecret(value) ? [[name, value]] : []
  )
  return {
    ...Object.fromEntries(passed),
    DOCKER_HOST: NO_DAEMON,
    ...GO_RUNTIME,
    ...(dockerConfig === undefined ? {} : { DOCKER_CONFIG: dockerConfig })
  }
}

function isAllowed(name: string): boolean {
  return ALLOWED.has(name) || ALLOWED_PREFIXES.some((prefix) => name.startsWith(prefix))
}

function holdsSecret(value: string): boolean {
  return [...knownSecrets].some((secret) => value.includes(secret))
}
