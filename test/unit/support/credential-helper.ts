// A stand-in for a docker-credential-* program: a real program that keeps its logins in a file beside it, and that
// can be told to go wrong.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeFolder } from './home.ts'

/** Verb to what goes wrong with it. */
export interface HelperFaults {
  /** Says that it did, and did not. */
  readonly ignores?: readonly string[]
  /** Fails with these words, in which `INPUT` becomes what it was given. */
  readonly fails?: Readonly<Record<string, string>>
  readonly hangs?: readonly string[]
  /** Keeps what docker keeps for an identity token. */
  readonly keepsToken?: boolean
  /** How it says that it holds nothing; on standard output as all do, and with exit code 1. */
  readonly nothing?: string
  /** What it answers to `get`, in place of JSON. */
  readonly answers?: string
  /** What it answers to `list`, in place of JSON. */
  readonly lists?: string
}

export interface StandInHelper {
  readonly name: string
  /** For the PATH. */
  readonly folder: string
  held(): Record<string, { Username: string; Secret: string }>
  hold(host: string, username: string, secret: string): void
  /** Each call: the verb, and the names of the variables that it was given. */
  calls(): { verb: string; variables: string[]; args: string[] }[]
}

export function makeHelper(faults: HelperFaults = {}, name = 'standin'): StandInHelper {
  const folder = join(makeFolder(), 'bin')
  mkdirSync(folder)
  const [store, calls] = [join(folder, 'store.json'), join(folder, 'calls.jsonl')]
  writeFileSync(store, '{}')
  writeFileSync(calls, '')
  const settings = { faults, store, calls }
  const program = `#!${process.execPath}\n(${work.toString()})(${JSON.stringify(settings)}, require('node:fs'))\n`
  writeFileSync(join(folder, `docker-credential-${name}`), program, { mode: 0o755 })
  const held = (): ReturnType<StandInHelper['held']> =>
    JSON.parse(readFileSync(store, 'utf8')) as ReturnType<StandInHelper['held']>
  return {
    name,
    folder,
    held,
    hold: (host, Username, Secret) => {
      writeFileSync(store, JSON.stringify({ ...held(), [host]: { Username, Secret } }))
    },
    calls: () =>
      readFileSync(calls, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as ReturnType<StandInHelper['calls']>[number])
  }
}

/** The program itself: it is written to a file, so it can use nothing from here. */
function work(
  { faults, store, calls }: { faults: HelperFaults; store: string; calls: string },
  fs: typeof import('node:fs')
): void {
  const args = process.argv.slice(2)
  const [verb = ''] = args
  const variables = Object.keys(process.env).sort()
  fs.appendFileSync(calls, `${JSON.stringify({ verb, variables, args })}\n`)
  if (faults.hangs?.includes(verb)) {
    setInterval(() => undefined, 1000)
    return
  }
  const input = fs.readFileSync(0, 'utf8').trim()
  const words = faults.fails?.[verb]
  if (words !== undefined) {
    process.stderr.write(words.replace('INPUT', input))
    process.exitCode = 2
    return
  }
  const held = JSON.parse(fs.readFileSync(store, 'utf8')) as Record<string, unknown>
  const ignored = faults.ignores?.includes(verb) === true
  if (verb === 'get') {
    const found = held[input]
    if (found === undefined) process.exitCode = 1
    const nothing = faults.nothing ?? 'credentials not found in native keychain\n'
    process.stdout.write(faults.answers ?? (found === undefined ? nothing : JSON.stringify(found)))
  } else if (verb === 'store') {
    const { ServerURL, Username, Secret } = JSON.parse(input) as Record<string, string>
    const username = faults.keepsToken === true ? '<token>' : Username
    if (!ignored)
      fs.writeFileSync(store, JSON.stringify({ ...held, [ServerURL ?? '']: { Username: username, Secret } }))
  } else if (verb === 'erase') {
    if (!ignored) fs.writeFileSync(store, JSON.stringify({ ...held, [input]: undefined }))
  } else if (verb === 'list') {
    const users = Object.entries(held).map(([host, login]) => [
      host,
      (login as { Username: string }).Username
    ])
    process.stdout.write(faults.lists ?? JSON.stringify(Object.fromEntries(users)))
  } else {
    process.exitCode = 64
  }
}
