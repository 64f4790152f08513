import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { cacheDir, extractTar, extractZip, find } from '@actions/tool-cache'
import { childEnvironment } from './child-env.ts'
import type { Context } from '../context.ts'
import { download } from './download.ts'
import { UserError } from '../errors/user-error.ts'
import { knownSecrets } from '../errors/redact.ts'
import { quote } from '../errors/quote.ts'
import { run } from './run.ts'

/** What the tool cache calls it: the CLI alone, not all of Docker. */
const TOOL = 'docker-cli'

/** A kind of machine, by Node's names. */
export interface Machine {
  readonly platform: string
  readonly arch: string
}

interface Build {
  readonly folder: string
  readonly archive: 'tgz' | 'zip'
  readonly program: string
  readonly arches: Readonly<Record<string, string>>
}

// The layout of Docker's download site (docker/actions-toolkit 011f224, src/docker/install.ts).
const BUILDS: Readonly<Record<string, Build>> = {
  linux: {
    folder: 'linux',
    archive: 'tgz',
    program: 'docker',
    arches: { x64: 'x86_64', arm64: 'aarch64', arm: 'armhf', ppc64: 'ppc64le', s390x: 's390x' }
  },
  darwin: {
    folder: 'mac',
    archive: 'tgz',
    program: 'docker',
    arches: { x64: 'x86_64', arm64: 'aarch64' }
  },
  win32: { folder: 'win', archive: 'zip', program: 'docker.exe', arches: { x64: 'x86_64' } }
}

/** Which docker CLI a job without one gets, and from where. */
export interface WantedDocker {
  readonly version: string
  /** Docker's download site, or a mirror of it. */
  readonly url: URL
}

/**
 * Finds a docker CLI in the tool cache, or downloads it and puts it there, for the next job too.
 * @returns the folder that it lies in, for the PATH
 * @throws UserError where there is none for this machine, or what came does not work
 */
export async function installDocker(
  wanted: WantedDocker,
  machine: Machine,
  context: Context
): Promise<string> {
  const place = resolveDownload(wanted, machine)
  return await withShortEnvironment(async (temp) => {
    // "19.03.15" is no version for the tool cache.
    const version = wanted.version.replace(/\b0+(?=\d)/g, '')
    const cached = find(TOOL, version)
    if (cached !== '' && existsSync(join(cached, place.program))) return cached
    const directory = await mkdtemp(join(temp, 'icr-login-download-'))
    try {
      const program = await fetchProgram(place, directory, context)
      await checkProgram(program, wanted.version, place, context)
      return await cacheDir(dirname(program), TOOL, version)
    } finally {
      await rm(directory, { recursive: true, force: true })
    }
  })
}

interface Download {
  readonly url: URL
  readonly archive: Build['archive']
  readonly program: string
}

/**
 * Where the CLI of that version lies, for this kind of machine.
 * @throws UserError where Docker builds none for it
 */
export function resolveDownload({ version, url }: WantedDocker, { platform, arch }: Machine): Download {
  const build = BUILDS[platform]
  const machine = build?.arches[arch]
  if (build === undefined || machine === undefined) {
    throw new UserError(
      `docker-version: Docker has no CLI for ${platform} on ${arch}.`,
      'Leave docker-version out: the login works without docker too. Or put a docker CLI on the PATH.'
    )
  }
  const { folder: directory, archive, program } = build
  const path = `${directory}/static/stable/${machine}/docker-${version}.${archive}`
  return { url: new URL(path, url.href.endsWith('/') ? url : `${url.href}/`), archive, program }
}

/** @returns the program, alone in a folder */
async function fetchProgram(
  { url, archive, program }: Download,
  directory: string,
  context: Context
): Promise<string> {
  const file = join(directory, `docker.${archive}`)
  context.info(`No docker on the PATH: getting ${url.href}.`)
  const status = await download(url, file, context)
  if (status !== 200) throw notFound(url, status)
  const extracted = await extract(file, archive, join(directory, 'extracted')).catch(() => '')
  const found = join(extracted, 'docker', program)
  if (!existsSync(found)) throw invalidArchive(url, `holds no docker/${program}`)
  const alone = join(directory, 'alone', program)
  await mkdir(dirname(alone))
  await rename(found, alone)
  return alone
}

async function extract(file: string, archive: Build['archive'], directory: string): Promise<string> {
  return archive === 'zip' ? await extractZip(file, directory) : await extractTar(file, directory)
}

function notFound(url: URL, status: number): UserError {
  return new UserError(
    `${url.href} answered ${status}: this docker CLI is not to be had there.`,
    `Is docker-version one that exists? ${new URL('.', url).href} lists them. Is docker-url right?`
  )
}

function invalidArchive(url: URL, why: string): UserError {
  return new UserError(
    `What came from ${url.href} ${why}.`,
    'Is docker-url a mirror of Docker’s download site, and did a proxy answer in its place?'
  )
}

/** What was downloaded is to be handed the secret: it must at least be a docker that runs here. */
async function checkProgram(
  program: string,
  version: string,
  { url }: Download,
  context: Context
): Promise<void> {
  const { code, stdout } = await run(program, ['--version'], {
    input: '',
    env: childEnvironment(''),
    timeoutMs: 10_000
  }).catch(() => ({ code: undefined, stdout: '' }))
  const reported = /^Docker version ([^\s,]+)/.exec(stdout)?.[1]
  if (code !== 0 || reported === undefined)
    throw invalidArchive(url, 'is no docker that runs on this machine')
  if (reported !== version)
    context.warning(`docker-version: ${version} was asked for, but what came is ${quote(reported)}.`)
}

/** The tool cache hands all of the environment to tar, the inputs with the secret too, unless there is less of it. */
async function withShortEnvironment<T>(work: (temp: string) => Promise<T>): Promise<T> {
  const all = process.env
  const temp = all['RUNNER_TEMP'] ?? tmpdir()
  const cache = all['RUNNER_TOOL_CACHE'] ?? join(temp, 'tools')
  const short = { ...childEnvironment(''), RUNNER_TEMP: temp, RUNNER_TOOL_CACHE: cache }
  process.env = Object.fromEntries(
    Object.entries(short).filter(([, value]) => ![...knownSecrets].some((secret) => value.includes(secret)))
  )
  try {
    return await work(temp)
  } finally {
    process.env = all
  }
}
