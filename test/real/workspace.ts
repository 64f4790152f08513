// Where the real clients work: folders of their own, a short environment, things to push.
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runChild, runWell, type ChildOptions, type ChildResult } from '../support/child.ts'
import { needProgram } from '../support/programs.ts'

export interface Place {
  home: string
  /** Where the login is, if not in the home: DOCKER_CONFIG. */
  dockerConfig?: string
  /** REGISTRY_AUTH_FILE */
  authFile?: string
}

/** What a client needs to run: its program, the options of every call, and how it is told that http will do. */
export interface Kind {
  name: string
  program?: string
  options: string[]
  plainHttp: string[]
}

/** The port of "discard", where nothing listens on any machine that runs these tests. */
const nobody = 'http://127.0.0.1:9'

export class Workspace {
  readonly root = mkdtempSync(join(tmpdir(), 'icr-login-clients-'))

  close(): void {
    rmSync(this.root, { recursive: true, force: true })
  }

  folder(...names: string[]): string {
    const folder = join(this.root, ...names)
    mkdirSync(folder, { recursive: true })
    return folder
  }

  /** A folder that nothing has been put into. */
  newFolder(): string {
    return this.folder('work', randomBytes(8).toString('hex'))
  }

  /** Of the machine's variables only the PATH: no proxy, no login of its own. */
  #env({ home, dockerConfig, authFile }: Place): Record<string, string> {
    return {
      PATH: `${process.env['PATH'] ?? ''}:/usr/bin:/usr/sbin:/sbin`,
      HOME: home,
      // podman, buildah and skopeo keep their own logins there: for root else in /run/containers/0, which all share.
      XDG_RUNTIME_DIR: this.folder('xdg-runtime', Buffer.from(home).toString('hex')),
      TMPDIR: this.folder('tmp'),
      // cosign would ask for its roots of trust, which a signature by a key of our own does not need.
      HTTPS_PROXY: nobody,
      NO_PROXY: 'localhost,127.0.0.1,::1',
      BUILDAH_ISOLATION: 'chroot',
      CONTAINERS_CONF: this.#containersConf(),
      // What these keep beside a login is not to lie in the home: tests look at that.
      BUILDX_CONFIG: this.folder('buildx'),
      HELM_CACHE_HOME: this.folder('helm'),
      TUF_ROOT: this.folder('cosign-roots'),
      ...(dockerConfig === undefined ? {} : { DOCKER_CONFIG: dockerConfig }),
      ...(authFile === undefined ? {} : { REGISTRY_AUTH_FILE: authFile })
    }
  }

  /** podman keeps locks in /dev/shm and in /etc/cni unless it is told otherwise. */
  #containersConf(): string {
    const file = join(this.root, 'containers.conf')
    const network = this.folder('podman', 'network')
    writeFileSync(
      file,
      `[engine]\nlock_type = "file"\n[network]\nnetwork_config_dir = ${JSON.stringify(network)}\n`
    )
    return file
  }

  run(kind: Kind, place: Place, args: string[], options: ChildOptions = {}): Promise<ChildResult> {
    const env = { ...this.#env(place), ...options.env }
    return runChild(needProgram(kind.program ?? kind.name), [...kind.options, ...args], { ...options, env })
  }

  /** For what needs no login and must succeed. */
  runWell(kind: Kind, args: string[], options: ChildOptions = {}): Promise<string> {
    const env = { ...this.#env({ home: this.folder('no-home') }), ...options.env }
    return runWell(needProgram(kind.program ?? kind.name), [...kind.options, ...args], { ...options, env })
  }

  /** `login` as docker has it, which the others have taken over; some as a command of another one. */
  login(kind: Kind, ...command: string[]): Login {
    return (place, host, username, secret) => {
      const args = [...command, 'login', ...kind.plainHttp, '--username', username, '--password-stdin', host]
      if (kind.name === 'docker') keepDockerFromPass(place)
      return this.run(kind, place, args, { input: secret })
    }
  }

  /** A folder with one file in it. */
  textFolder(text: string): string {
    const folder = this.newFolder()
    writeFileSync(join(folder, 'text'), text)
    return folder
  }

  /** The same as a tar file. */
  async tar(text: string): Promise<string> {
    const file = this.archive()
    await runWell('tar', ['--create', '--file', file, '--directory', this.textFolder(text), 'text'])
    return file
  }

  /** The name of a file that does not exist yet. */
  archive(ending = '.tar'): string {
    return join(this.folder('archives'), `${randomBytes(8).toString('hex')}${ending}`)
  }
}

export type Login = (place: Place, host: string, username: string, secret: string) => Promise<ChildResult>

const dockerFolder = ({ home, dockerConfig = join(home, '.docker') }: Place): string => dockerConfig

/**
 * With `pass` on the PATH and no entry in config.json, docker takes the password store of the machine, which
 * nobody has set up here: "pass not initialized" (docker CLI 28.2.2).
 */
function keepDockerFromPass(place: Place): void {
  const file = join(dockerFolder(place), 'config.json')
  if (existsSync(file)) return
  mkdirSync(dockerFolder(place), { recursive: true, mode: 0o700 })
  writeFileSync(file, '{"auths":{"x.invalid":{}}}', { mode: 0o600 })
}

/** Makes buildx a plug-in of docker, as a user installs it, for as long as the work takes; nothing of it is left. */
export async function withBuildx<T>(place: Place, work: () => Promise<T>): Promise<T> {
  const folder = join(dockerFolder(place), 'cli-plugins')
  const made = mkdirSync(folder, { recursive: true, mode: 0o700 })
  const plugin = join(folder, 'docker-buildx')
  symlinkSync(needProgram('buildx'), plugin)
  try {
    return await work()
  } finally {
    rmSync(made ?? plugin, { recursive: true })
    // BuildKit's client keeps numbers there, by which it knows its own builds and requests for tokens again.
    for (const name of ['.buildNodeID', '.token_seed', '.token_seed.lock'])
      rmSync(join(dockerFolder(place), name), { force: true })
  }
}
