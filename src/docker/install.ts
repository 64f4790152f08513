import { chmodSync, copyFileSync, existsSync, lstatSync, mkdirSync } from 'node:fs'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { cacheDir, extractTar, extractZip, find } from '@actions/tool-cache'
import type { Context } from '../context.ts'
import { quote } from '../errors/quote.ts'
import { messageOf, UserError } from '../errors/user-error.ts'
import { childEnvironment } from './child-env.ts'
import { download, notStored } from './download.ts'
import { run } from './run.ts'

/** Its name in the tool cache: the CLI alone, not all of Docker. */
const TOOL = 'docker-cli'

/** A kind of machine, by Node's names. */
type Machine = Readonly<Record<'platform' | 'arch', string>>

// The layout of Docker's download site (docker/actions-toolkit 011f224, src/docker/install.ts).
const DIRECTORIES: Readonly<Record<string, string>> = { linux: 'linux', darwin: 'mac', win32: 'win' }
const ARCHES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  linux: { x64: 'x86_64', arm64: 'aarch64', arm: 'armhf', ppc64: 'ppc64le', s390x: 's390x' },
  darwin: { x64: 'x86_64', arm64: 'aarch64' },
  win32: { x64: 'x86_64' }
}

/** Which docker CLI a job without one gets, and from where. */
export interface WantedDocker {
  readonly version: string
  /** Docker's download site, or a mirror of it. */
  readonly url: URL
}

/**
 * Finds a docker CLI in the tool cache, or downloads it and stores it there, for later jobs too.
 * @returns its directory, for the PATH
 * @throws UserError where there is none for this machine, or what was downloaded is not the docker CLI of that version
 */
export async function installDocker(
  wanted: WantedDocker,
  machine: Machine,
  context: Context
): Promise<string> {
  const source = resolveDownload(wanted, machine)
  return await withShortEnvironment(async (temp) => {
    // "19.03.15" is not a version for the tool cache.
    const version = wanted.version.replace(/\b0+(?=\d)/g, '')
    const cached = find(TOOL, version)
    if (cached !== '' && existsSync(join(cached, source.program))) return cached
    const directory = mkdtempSync(join(temp, 'icr-login-download-'))
    try {
      const program = await fetchProgram(source, directory, context)
      await checkProgram(program, wanted.version, source.url, machine)
      return await cacheDir(dirname(program), TOOL, version)
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  }).catch((error: unknown) => {
    throw error instanceof UserError ? error : notStored(error)
  })
}

interface Download {
  readonly url: URL
  readonly archive: 'tgz' | 'zip'
  readonly program: string
}

/**
 * The address of the CLI of that version, for this kind of machine.
 * @throws UserError where Docker builds none for it
 */
export function resolveDownload({ version, url }: WantedDocker, { platform, arch }: Machine): Download {
  const machine = ARCHES[platform]?.[arch]
  if (machine === undefined) {
    throw new UserError(
      `docker-version: Docker has no CLI for ${platform} on ${arch}.`,
      'Leave docker-version out: the login works without docker too. Or put a docker CLI on the PATH.'
    )
  }
  const [archive, program] =
    platform === 'win32' ? (['zip', 'docker.exe'] as const) : (['tgz', 'docker'] as const)
  const path = `${DIRECTORIES[platform]}/static/stable/${machine}/docker-${version}.${archive}`
  return { url: new URL(path, url.href.endsWith('/') ? url : `${url.href}/`), archive, program }
}

/** @returns the program, alone in a directory */
async function fetchProgram(source: Download, directory: string, context: Context): Promise<string> {
  const { url, archive, program } = source
  const file = join(directory, `docker.${archive}`)
  context.info(`No docker on the PATH: getting ${url.href}.`)
  const status = await download(url, file, context)
  if (status !== 200)
    throw new UserError(
      `${url.href} answered ${status}: this docker CLI is not to be had there.`,
      `Is docker-version one that exists? ${new URL('.', url).href} lists them. Is docker-url right?`
    )
  const extracted = await extract(file, join(directory, 'extracted'), source)
  const found = join(extracted, 'docker', program)
  // A link could name any program of this machine.
  if (lstatSync(found, { throwIfNoEntry: false })?.isFile() !== true)
    throw invalid(url, `holds no docker/${program}`)
  const alone = join(directory, 'alone', program)
  mkdirSync(dirname(alone))
  copyFileSync(found, alone)
  // Without the set-uid and set-gid bits that the archive may ask for.
  chmodSync(alone, 0o755)
  return alone
}

const MAGIC = { tgz: Buffer.from([0x1f, 0x8b]), zip: Buffer.from('PK') }

async function extract(file: string, directory: string, { url, archive }: Download): Promise<string> {
  try {
    return archive === 'zip' ? await extractZip(file, directory) : await extractTar(file, directory)
  } catch (error) {
    if (!readFileSync(file).subarray(0, 2).equals(MAGIC[archive]))
      throw invalid(url, `is not a ${archive} archive`)
    // tar has one exit code for all that fails. Whether the disk is full, this finds out: it throws.
    writeFileSync(`${file}.probe`, Buffer.alloc(64 * 1024))
    const [, missing] = /^Unable to locate executable file: (\w+)/.exec(messageOf(error)) ?? []
    const reason = missing === undefined ? quote(messageOf(error)) : `there is no ${missing} on the PATH`
    throw new UserError(
      `${url.href} was downloaded, but could not be unpacked: ${reason}.`,
      'Check that tar and gzip (on Windows, PowerShell) are on the PATH, and that the download is complete.'
    )
  }
}

function invalid(url: URL, why: string): UserError {
  return new UserError(
    `What came from ${url.href} ${why}.`,
    'Is docker-url a mirror of Docker’s download site, and did a proxy answer in its place?'
  )
}

/** The program is going to be handed the secret, and stays in the tool cache: it must be the docker CLI that was asked for. */
async function checkProgram(program: string, version: string, url: URL, machine: Machine): Promise<void> {
  const options = { input: '', env: childEnvironment(), timeoutMs: 10_000 }
  const { code, stdout } = await run(program, ['--version'], options).catch(() => ({ code: 1, stdout: '' }))
  const reported = /^Docker version ([^\s,]+)/.exec(stdout)?.[1]
  if (code !== 0 || reported === undefined)
    throw invalid(url, `is not a docker CLI that runs on this machine (${machine.platform}, ${machine.arch})`)
  if (reported !== version) throw invalid(url, `is docker ${quote(reported)}, not ${version}`)
}

/** The tool cache hands all of the environment to tar: for that time it holds no inputs, and no secret. */
async function withShortEnvironment<T>(work: (temp: string) => Promise<T>): Promise<T> {
  const all = { ...process.env }
  const { RUNNER_TEMP = '', RUNNER_TOOL_CACHE = '' } = process.env
  const temp = resolve(RUNNER_TEMP || tmpdir())
  const cache = resolve(RUNNER_TOOL_CACHE || join(temp, 'tools'))
  setEnvironment({ ...childEnvironment(), RUNNER_TEMP: temp, RUNNER_TOOL_CACHE: cache })
  try {
    return await work(temp)
  } finally {
    setEnvironment(all)
  }
}

function setEnvironment(wanted: NodeJS.ProcessEnv): void {
  for (const name of Object.keys(process.env))
    if (!(name in wanted)) Reflect.deleteProperty(process.env, name)
  Object.assign(process.env, wanted)
}
