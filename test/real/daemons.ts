// Real daemons for the tests, each with folders and a port or socket of its own, ended by its process id.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { killGroup, runChild } from '../support/child.ts'
import { needProgram } from '../support/programs.ts'

export interface Daemon {
  pid: number
  log(): string
  stop(): Promise<void>
}

export interface Dockerd extends Daemon {
  /** For DOCKER_HOST: a socket in a folder of its own. */
  host: string
}

export interface Registry extends Daemon {
  /** 127.0.0.1:PORT */
  host: string
}

interface Start {
  name: string
  args: string[]
  /** A command that becomes the daemon: it gets the daemon's own as its last arguments. */
  before?: readonly string[]
  folder: string
  env: Record<string, string>
  /** Asked over and over with the log so far; true when the daemon can be used. */
  ready: (log: string) => Promise<boolean> | boolean
  deadline: number
}

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null

async function waitUntilEnded(child: ChildProcess, milliseconds: number): Promise<boolean> {
  const end = Date.now() + milliseconds
  while (!hasEnded(child) && Date.now() < end) await sleep(20)
  return hasEnded(child)
}

async function stopChild(child: ChildProcess, folder: string): Promise<void> {
  if (!hasEnded(child)) child.kill('SIGTERM')
  // dockerd ends its containerd when it is asked to end; both lead no group but ours.
  if (!(await waitUntilEnded(child, 15_000))) killGroup(child, 'SIGKILL')
  await waitUntilEnded(child, 5_000)
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
}

async function startDaemon({
  name,
  args,
  before = [],
  folder,
  env,
  ready,
  deadline
}: Start): Promise<Daemon> {
  const logFile = join(folder, 'log')
  writeFileSync(logFile, '')
  const [program = '', ...rest] = [...before, needProgram(name), ...args]
  const child = spawn(program, rest, {
    cwd: folder,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe']
  })
  process.once('exit', () => {
    if (!hasEnded(child)) killGroup(child, 'SIGKILL')
  })
  const stream = createWriteStream(logFile, { flags: 'a' })
  child.stdout.pipe(stream, { end: false })
  child.stderr.pipe(stream, { end: false })
  const log = (): string => readFileSync(logFile, 'utf8')
  const end = Date.now() + deadline
  while (!(await ready(log()))) {
    if (!hasEnded(child) && Date.now() < end) {
      await sleep(50)
      continue
    }
    const said = log()
    await stopChild(child, folder)
    throw new Error(
      `${name} ${hasEnded(child) ? 'ended' : 'was not ready'} before it could be used:\n${said}`
    )
  }
  return { pid: child.pid ?? 0, log, stop: () => stopChild(child, folder) }
}

/**
 * A docker daemon that needs no network of its own and no rights over the machine's: it can pull, push and load.
 * @param variables more of them for it, such as a proxy's
 * @param before a command that becomes the daemon, and gets the daemon's own as its last arguments
 */
export async function startDockerd(
  variables: Record<string, string> = {},
  before: readonly string[] = []
): Promise<Dockerd> {
  const folder = mkdtempSync(join(tmpdir(), 'icr-login-dockerd-'))
  const host = `unix://${join(folder, 'docker.sock')}`
  // The machine's own /etc/docker/daemon.json must have no say.
  writeFileSync(join(folder, 'daemon.json'), '{}')
  mkdirSync(join(folder, 'home'))
  const args = [
    ...['--host', host, '--config-file', join(folder, 'daemon.json'), '--pidfile', join(folder, 'pid')],
    ...['--data-root', join(folder, 'data'), '--exec-root', join(folder, 'exec')],
    ...[
      '--storage-driver',
      'vfs',
      '--bridge=none',
      '--iptables=false',
      '--ip6tables=false',
      '--ip-forward=false'
    ]
  ]
  // It looks for containerd and runc by itself, and runc lies in sbin.
  const env = {
    PATH: `${process.env['PATH'] ?? ''}:/usr/bin:/usr/sbin:/sbin`,
    HOME: join(folder, 'home'),
    TMPDIR: folder,
    ...variables
  }
  const ready = async (): Promise<boolean> => {
    const docker = needProgram('docker')
    const { exitCode } = await runChild(docker, ['--host', host, 'version'], { env, timeout: 20_000 })
    return exitCode === 0
  }
  const daemon = await startDaemon({ name: 'dockerd', args, before, folder, env, ready, deadline: 60_000 })
  return { ...daemon, host }
}

/** Where a docker-registry may keep things, and the address it is to listen on. */
export interface RegistryPlace {
  folder: string
  address: string
}

/** A port that was free a moment ago. docker-registry can't be asked which one it took when its log is quiet. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** Any answer will do: with token auth it is 401. */
async function answers(host: string): Promise<boolean> {
  return fetch(`http://${host}/v2/`).then(
    () => true,
    () => false
  )
}

/** A real docker-registry. `config` gives the text of its config.yml. */
export async function startRegistry(config: (place: RegistryPlace) => string): Promise<Registry> {
  const folder = mkdtempSync(join(tmpdir(), 'icr-login-registry-'))
  const host = `127.0.0.1:${await freePort()}`
  writeFileSync(join(folder, 'config.yml'), config({ folder, address: host }))
  const daemon = await startDaemon({
    name: 'docker-registry',
    args: ['serve', join(folder, 'config.yml')],
    folder,
    env: { HOME: folder },
    ready: () => answers(host),
    deadline: 20_000
  })
  return { ...daemon, host }
}
