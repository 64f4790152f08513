/**
 * What docker and credential helpers are given of the job's environment: what they need to find their files, their
 * way to the network and their key stores. Nothing else: no `INPUT_*`, no token of GitHub's, none of docker's own
 * settings that would send the secret elsewhere (facts/clients-and-runner.md, "docker CLI").
 */
const ALLOWED = new Set([
  ...['PATH', 'PATHEXT', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'TMPDIR', 'TEMP', 'TMP', 'LANG'],
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY', 'SSL_CERT_FILE', 'SSL_CERT_DIR'],
  ...['GNUPGHOME', 'GPG_TTY', 'DBUS_SESSION_BUS_ADDRESS', 'DISPLAY'],
  ...['SYSTEMROOT', 'SYSTEMDRIVE', 'WINDIR', 'COMSPEC', 'APPDATA', 'LOCALAPPDATA'],
  ...['USERPROFILE', 'USERNAME', 'HOMEDRIVE', 'HOMEPATH']
])
const ALLOWED_PREFIXES = ['LC_', 'PASSWORD_STORE_', 'PROGRAM', 'XDG_']

// Where no daemon is, the CLI does the handshake itself: no daemon, near or far, is handed the secret.
const NO_DAEMON =
  process.platform === 'win32' ? 'npipe:////./pipe/icr-login-none' : 'unix:///nonexistent/icr-login.sock'

// docker and most helpers are Go programs that do one thing after the other, and end before collecting garbage pays: a
// login takes a seventh longer with more threads and with it (docs/performance.md). Near the limit it is collected all the
// same: go.dev/doc/gc-guide, "Memory limit".
const GO_RUNTIME = { GOGC: 'off', GOMAXPROCS: '1', GOMEMLIMIT: '64MiB' }

/**
 * The environment for a child that is about to read a secret.
 * @param secret no variable that holds it is passed on
 * @param dockerConfig the directory of the config.json that the child is to use
 */
export function childEnvironment(secret: string, dockerConfig?: string): NodeJS.ProcessEnv {
  const passed = Object.entries(process.env).filter(
    ([name, value]) => isAllowed(name.toUpperCase()) && (secret === '' || value?.includes(secret) !== true)
  )
  return {
    ...Object.fromEntries(passed),
    DOCKER_HOST: NO_DAEMON,
    ...GO_RUNTIME,
    ...(dockerConfig === undefined ? {} : { DOCKER_CONFIG: dockerConfig })
  }
}

function isAllowed(name: string): boolean {
  return ALLOWED.has(name) || ALLOWED_PREFIXES.some((start) => name.startsWith(start))
}
