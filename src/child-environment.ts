/**
 * What docker and credential helpers are given of the job's environment: what they need to find their files, their
 * way to the network and their key stores. Nothing else: no `INPUT_*`, no token of GitHub's, none of docker's own
 * settings that would send the secret elsewhere (facts/clients-and-runner.md, "docker CLI").
 */
const PASSED_ON = [
  /^(?:PATH|PATHEXT|HOME|USER|LOGNAME|SHELL|TMPDIR|TEMP|TMP|LANG|LC_\w+)$/i,
  /^(?:HTTPS?|ALL|NO)_PROXY$/i,
  /^SSL_CERT_(?:FILE|DIR)$/,
  /^(?:GNUPGHOME|GPG_TTY|PASSWORD_STORE_\w+|DBUS_SESSION_BUS_ADDRESS|DISPLAY|XDG_\w+)$/,
  /^(?:SYSTEMROOT|SYSTEMDRIVE|WINDIR|COMSPEC|USERPROFILE|USERNAME|HOMEDRIVE|HOMEPATH)$/i,
  /^(?:APPDATA|LOCALAPPDATA|PROGRAM\w*)$/i
]

// Where no daemon is, the CLI does the handshake itself: no daemon, near or far, is handed the secret.
const NO_DAEMON =
  process.platform === 'win32' ? 'npipe:////./pipe/icr-login-none' : 'unix:///nonexistent/icr-login.sock'

// docker and most helpers are Go programs that end before collecting garbage pays: a login takes a tenth longer with it
// (docs/performance.md). Near the limit it is collected all the same: go.dev/doc/gc-guide, "Memory limit".
const COLLECT_LATE = { GOGC: 'off', GOMEMLIMIT: '64MiB' }

/**
 * The environment for a child that is about to read a secret.
 * @param secret no variable that holds it is passed on
 * @param dockerConfig the directory of the config.json that the child is to use
 */
export function childEnvironment(secret: string, dockerConfig?: string): NodeJS.ProcessEnv {
  const passed = Object.entries(process.env).filter(
    ([name, value]) =>
      PASSED_ON.some((names) => names.test(name)) && (secret === '' || value?.includes(secret) !== true)
  )
  return {
    ...Object.fromEntries(passed),
    DOCKER_HOST: NO_DAEMON,
    ...COLLECT_LATE,
    ...(dockerConfig === undefined ? {} : { DOCKER_CONFIG: dockerConfig })
  }
}
