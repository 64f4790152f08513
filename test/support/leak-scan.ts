// Collects all that a job says, leaves behind, starts and sends, each text with its place, and searches it for secrets
// that have no business there. Which secret may be where is declared with the secret.
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { RecordedRequest } from '../cloud/recorder.ts'
import type { Job, StepResult } from './runner.ts'
import { makeSecret, SecretSearch, type FormName, type Secret } from './secrets.ts'

export interface WatchedSecret extends Secret {
  /** Places where it is meant to be; anywhere else it is a leak. */
  readonly may: readonly RegExp[]
}

export interface Leak {
  readonly secret: string
  readonly form: FormName
  readonly place: string
  /** What stands around it. */
  readonly around: string
}

/** A program that was started. */
export interface StartedProcess {
  readonly program: string
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

interface Exhibit {
  readonly place: string
  readonly text: string
}

const isMask = (line: string): boolean => line.startsWith('::add-mask::')

export class LeakScan {
  readonly #exhibits: Exhibit[] = []
  #characters = 0

  /** How much was looked at. */
  get size(): { texts: number; characters: number } {
    return { texts: this.#exhibits.length, characters: this.#characters }
  }

  add(place: string, text: string): void {
    this.#exhibits.push({ place, text })
    this.#characters += text.length
  }

  /** What a step said, and the files that it left for the runner. */
  addStep(name: string, result: StepResult): void {
    const said = result.stdout.split('\n').filter((line) => !isMask(line))
    this.add(`stdout of ${name}`, said.join('\n'))
    this.add(`stderr of ${name}`, result.stderr)
    // What the runner makes of commands: their values are written with escapes.
    const commands = result.events.filter((event) => event.kind === 'command' && event.command !== 'add-mask')
    this.add(
      `commands of ${name}`,
      commands.map((event) => Object.values(event).map(format).join('\n')).join('\n')
    )
    for (const kind of ['outputs', 'state', 'env'] as const) {
      for (const [key, value] of Object.entries(result[kind])) this.add(`${kind} ${key} of ${name}`, value)
      this.add(`names in ${kind} of ${name}`, Object.keys(result[kind]).join('\n'))
    }
    this.add(`path of ${name}`, result.path.join('\n'))
    this.add(`summary of ${name}`, result.summary)
  }

  /** Every file of the job, with its name and where it leads if it is a link. Home included, wherever it is. */
  addFiles(when: string, job: Job): void {
    const root = dirname(job.temp)
    const folders = new Set([
      join(root, 'home'),
      job.home,
      job.temp,
      job.workspace,
      job.env['TMPDIR'] ?? job.temp
    ])
    for (const folder of [...folders, join(root, 'tool-cache')])
      this.#addFolder(when, folder, folderName(job, folder))
  }

  #addFolder(when: string, folder: string, name: string): void {
    if (!existsSync(folder)) return
    for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      const place = `file ${name}/${file} ${when}`
      this.add(`name of ${place}`, file)
      const kind = lstatSync(join(folder, file))
      if (kind.isSymbolicLink()) this.add(place, readlinkSync(join(folder, file)))
      else if (kind.isFile()) this.add(place, readFileSync(join(folder, file), 'utf8'))
    }
  }

  addProcesses(processes: readonly StartedProcess[]): void {
    for (const { program, argv, env } of processes) {
      this.add(`argv of ${program}`, argv.join('\n'))
      for (const [name, value] of Object.entries(env)) this.add(`env ${name} of ${program}`, value)
      this.add(`names in env of ${program}`, Object.keys(env).join('\n'))
    }
  }

  /** Every byte that reached a server, part by part. */
  addRequests(requests: readonly RecordedRequest[]): void {
    for (const { service, method, path, query, headers, body } of requests) {
      const place = `request ${service} ${method} ${path}`
      this.add(`path of ${place}`, decode(path))
      this.add(`query of ${place}`, `${query}\n${decode(query)}`)
      for (const [name, value] of Object.entries(headers)) this.add(`header ${name} of ${place}`, value)
      this.add(`body of ${place}`, body)
    }
  }

  /** Everything that is where it must not be. */
  leaks(secrets: readonly WatchedSecret[]): Leak[] {
    const search = new SecretSearch(secrets)
    return this.#exhibits.flatMap(({ place, text }) =>
      search
        .find(text)
        .filter(({ secret }) => !isAllowed(secrets, secret, place))
        .map(({ secret, form, at, piece }) => ({
          secret,
          form,
          place,
          around: text.slice(Math.max(0, at - 30), at + piece.length + 10)
        }))
    )
  }
}

function format(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function folderName(job: Job, folder: string): string {
  if (folder === job.home) return 'HOME'
  return folder === job.temp ? 'RUNNER_TEMP' : (folder.split('/').at(-1) ?? folder)
}

function isAllowed(secrets: readonly WatchedSecret[], name: string, place: string): boolean {
  return secrets.some((secret) => secret.name === name && secret.may.some((allowed) => allowed.test(place)))
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return text
  }
}

/**
 * The secrets that the log would show: no mask hides them, or one that comes after a line in which they are.
 * @param early by name, secrets that must be masked before the step says anything else at all
 */
export function findUnmasked(
  { events }: Pick<StepResult, 'events'>,
  secrets: readonly Secret[],
  early: readonly string[] = []
): string[] {
  const isHidden = (secret: Secret): boolean => {
    const search = new SecretSearch([secret])
    for (const event of events) {
      if (event.kind === 'command' && event.command === 'add-mask') {
        // What was pasted is masked as it is, and may hold the secret and more.
        if (event.value.includes(secret.value.trim())) return true
        continue
      }
      const said = event.kind === 'line' ? event.text : JSON.stringify(event)
      if (early.includes(secret.name) || search.find(said).length > 0) return false
    }
    return false
  }
  return secrets.filter((secret) => !isHidden(secret)).map(({ name }) => name)
}

/** Of a token's signature the beginning stands for all: a search for each of its pieces would take as long as the job. */
const LONG = 96

/**
 * What the steps have hidden from the log, so that it must be nowhere else either: each mask is a secret. Those that
 * hold another secret, as what was pasted does and what docker keeps, add nothing to it.
 */
export function maskedSecrets(
  results: readonly Pick<StepResult, 'masks'>[],
  known: readonly Secret[],
  mayOf: (mask: string) => readonly RegExp[]
): WatchedSecret[] {
  const masks = [...new Set(results.flatMap((result) => result.masks))].filter((mask) => mask.length >= 12)
  const values = [...known.map(({ value }) => value.trim()), ...masks]
  const isMore = (mask: string): boolean => {
    const texts = [mask, Buffer.from(mask, 'base64').toString()]
    return values.some((value) => value !== mask && texts.some((text) => text.includes(value)))
  }
  return masks
    .filter((mask) => !isMore(mask) && !known.some(({ value }) => value.trim() === mask))
    .map((mask, index) => {
      const { name, value, random } = makeSecret(`mask ${index + 1}`, mask)
      return { name, value, random: random.slice(0, LONG), may: mayOf(mask) }
    })
}
