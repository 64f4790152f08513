// The real clients that a login is for, behind one interface. Each keeps its images in a folder of its own, and reads
// the login where it always does: in the docker config of the home that it is given.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomBytes } from 'node:crypto'
import { runChild, runWell, type ChildResult } from '../support/child.ts'
import { needProgram } from '../support/programs.ts'

export interface Place {
  home: string
  /** Where the login is, if not in the home: DOCKER_CONFIG. */
  dockerConfig?: string
}

export interface Client {
  name: string
  login(place: Place, host: string, username: string, secret: string): Promise<ChildResult>
  /** Makes an image that holds this text and nothing else. */
  make(image: string, text: string): Promise<void>
  push(place: Place, image: string): Promise<ChildResult>
  pull(place: Place, image: string): Promise<ChildResult>
  /** The bytes of an image that was pulled, layers not compressed. */
  read(image: string): Promise<Buffer>
  /** Anything else that it can do. */
  run(place: Place, args: string[]): Promise<ChildResult>
}

/** Throws with what the client said if it did not end well. */
export function mustSucceed({ exitCode, stdout, stderr }: ChildResult): void {
  if (exitCode !== 0) throw new Error(`exit code ${exitCode ?? 'none'}\n${stdout}${stderr}`)
}

/** What one client needs to run: its program, the options of every call, and how it is told that http will do. */
interface Kind {
  name: string
  options: string[]
  plainHttp: string[]
}

export class Clients {
  readonly folder: string
  readonly all: Client[]

  constructor(dockerHost: string) {
    this.folder = mkdtempSync(join(tmpdir(), 'icr-login-clients-'))
    this.all = [
      this.#docker({ name: 'docker', options: ['--host', dockerHost], plainHttp: [] }),
      this.#docker({ name: 'podman', options: this.#podmanOptions(), plainHttp: ['--tls-verify=false'] }),
      this.#buildah({
        name: 'buildah',
        options: this.#storage('buildah'),
        plainHttp: ['--tls-verify=false']
      }),
      this.#skopeo({ name: 'skopeo', options: [], plainHttp: ['--tls-verify=false'] })
    ]
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }

  #folder(...names: string[]): string {
    const folder = join(this.folder, ...names)
    mkdirSync(folder, { recursive: true })
    return folder
  }

  #storage(name: string): string[] {
    const [root, runroot] = [this.#folder(name, 'root'), this.#folder(name, 'run')]
    return ['--root', root, '--runroot', runroot, '--storage-driver', 'vfs']
  }

  #podmanOptions(): string[] {
    const tmpdir = ['--tmpdir', this.#folder('podman', 'tmp')]
    return [...this.#storage('podman'), ...tmpdir, '--cgroup-manager=cgroupfs', '--events-backend=none']
  }

  /** podman keeps locks in /dev/shm and in /etc/cni unless it is told otherwise. */
  #containersConf(): string {
    const file = join(this.folder, 'containers.conf')
    const network = this.#folder('podman', 'network')
    writeFileSync(
      file,
      `[engine]\nlock_type = "file"\n[network]\nnetwork_config_dir = ${JSON.stringify(network)}\n`
    )
    return file
  }

  /** Of the machine's variables only the PATH: no proxy, no login of its own. */
  #env({ home, dockerConfig }: Place): Record<string, string> {
    return {
      PATH: `${process.env['PATH'] ?? ''}:/usr/bin:/usr/sbin:/sbin`,
      HOME: home,
      // podman, buildah and skopeo keep their own logins there: for root else in /run/containers/0, which all share.
      XDG_RUNTIME_DIR: this.#folder('xdg-runtime', Buffer.from(home).toString('hex')),
      TMPDIR: this.#folder('tmp'),
      BUILDAH_ISOLATION: 'chroot',
      CONTAINERS_CONF: this.#containersConf(),
      ...(dockerConfig === undefined ? {} : { DOCKER_CONFIG: dockerConfig })
    }
  }

  get #nowhere(): Place {
    return { home: this.#folder('no-home') }
  }

  #run(kind: Kind, place: Place, args: string[], input?: string): Promise<ChildResult> {
    const env = this.#env(place)
    const options = input === undefined ? { env } : { env, input }
    return runChild(needProgram(kind.name), [...kind.options, ...args], options)
  }

  #runWell(kind: Kind, args: string[]): Promise<string> {
    return runWell(needProgram(kind.name), [...kind.options, ...args], { env: this.#env(this.#nowhere) })
  }

  /**
   * With `pass` on the PATH and no entry in config.json, docker takes the password store of the machine, which
   * nobody has set up here: "pass not initialized" (docker CLI 28.2.2).
   */
  #keepDockerFromPass({ home, dockerConfig = join(home, '.docker') }: Place): void {
    if (existsSync(join(dockerConfig, 'config.json'))) return
    mkdirSync(dockerConfig, { recursive: true, mode: 0o700 })
    writeFileSync(join(dockerConfig, 'config.json'), '{"auths":{"x.invalid":{}}}', { mode: 0o600 })
  }

  #login(kind: Kind): Client['login'] {
    return (place, host, username, secret) => {
      const args = ['login', ...kind.plainHttp, '--username', username, '--password-stdin', host]
      if (kind.name === 'docker') this.#keepDockerFromPass(place)
      return this.#run(kind, place, args, secret)
    }
  }

  /** A tar file with one file in it, as `import` takes it. */
  async #tar(text: string): Promise<string> {
    const folder = this.#folder('images', randomBytes(8).toString('hex'))
    writeFileSync(join(folder, 'text'), text)
    await runWell('tar', ['--create', '--file', join(folder, 'image.tar'), '--directory', folder, 'text'])
    return join(folder, 'image.tar')
  }

  #archive(): string {
    return join(this.#folder('archives'), `${randomBytes(8).toString('hex')}.tar`)
  }

  /** docker and podman are called in the same way. */
  #docker(kind: Kind): Client {
    return {
      name: kind.name,
      login: this.#login(kind),
      make: async (image, text) => {
        await this.#runWell(kind, ['import', await this.#tar(text), image])
      },
      push: (place, image) => this.#run(kind, place, ['push', ...kind.plainHttp, image]),
      pull: (place, image) => this.#run(kind, place, ['pull', ...kind.plainHttp, image]),
      read: async (image) => {
        const archive = this.#archive()
        await this.#runWell(kind, ['save', '--output', archive, image])
        return readFileSync(archive)
      },
      run: (place, args) => this.#run(kind, place, args)
    }
  }

  #buildah(kind: Kind): Client {
    return {
      ...this.#docker(kind),
      make: async (image, text) => {
        const container = (await this.#runWell(kind, ['from', 'scratch'])).trim()
        await this.#runWell(kind, ['add', container, await this.#tar(text), '/'])
        await this.#runWell(kind, ['commit', '--rm', container, image])
      },
      // Else it is content with the image that it has, and asks nobody.
      pull: (place, image) =>
        this.#run(kind, place, ['pull', '--policy', 'always', ...kind.plainHttp, image]),
      read: async (image) => {
        const archive = this.#archive()
        await this.#runWell(kind, ['push', image, `docker-archive:${archive}`])
        return readFileSync(archive)
      }
    }
  }

  /** skopeo keeps no images: a folder in its `dir` format stands for each. */
  #skopeo(kind: Kind): Client {
    const folderOf = (image: string): string => this.#folder('skopeo', Buffer.from(image).toString('hex'))
    const copy = (place: Place, from: string, to: string, side: 'src' | 'dest'): Promise<ChildResult> =>
      this.#run(kind, place, ['copy', `--${side}-tls-verify=false`, from, to])
    const buildah = { name: 'buildah', options: this.#storage('buildah-for-skopeo'), plainHttp: [] }
    return {
      name: kind.name,
      login: this.#login(kind),
      make: async (image, text) => {
        await this.#buildah(buildah).make(image, text)
        await this.#runWell(buildah, ['push', image, `dir:${folderOf(image)}`])
      },
      push: (place, image) => copy(place, `dir:${folderOf(image)}`, `docker://${image}`, 'dest'),
      pull: (place, image) => copy(place, `docker://${image}`, `dir:${folderOf(image)}`, 'src'),
      read: async (image) => {
        const archive = this.#archive()
        await this.#runWell(kind, ['copy', `dir:${folderOf(image)}`, `docker-archive:${archive}`])
        return readFileSync(archive)
      },
      run: (place, args) => this.#run(kind, place, args)
    }
  }
}
