// What recording-docker.ts puts on the PATH as `docker`. Its first argument is the folder for records and answers.
import { Buffer } from 'node:buffer'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const started = Date.now()
const [directory, ...argv] = process.argv.slice(2)
const host = argv.at(-1)
const callsFile = join(directory, 'calls.jsonl')

const readText = (file) => (existsSync(file) ? readFileSync(file, 'utf8') : '')
const command = argv[0] === '--config' ? argv[2] : argv[0]
const option = (name) => (argv.includes(name) ? argv[argv.indexOf(name) + 1] : undefined)
const configDirectory = option('--config') ?? (process.env.DOCKER_CONFIG || join(homedir(), '.docker'))
const configFile = join(configDirectory, 'config.json')
const config = existsSync(configFile) ? readFileSync(configFile, 'utf8') : null

/** The answer whose turn it is; calls that run at the same moment for the same host may get the same one. */
function answerNow() {
  const given = JSON.parse(readFileSync(join(directory, 'answers.json'), 'utf8'))
  const calls = readText(callsFile).split('\n').filter(Boolean).map(JSON.parse)
  const count = given[host] ? calls.filter((call) => call.argv.at(-1) === host).length : calls.length
  const { from, answers } = given[host] ?? given['']
  return answers[Math.min(count - from, answers.length - 1)] ?? {}
}

function storeInHelper(helper, username, secret) {
  const input = JSON.stringify({ ServerURL: host, Username: username, Secret: secret })
  const { status, stdout } = spawnSync(`docker-credential-${helper}`, ['store'], { input, encoding: 'utf8' })
  if (status === 0) return
  process.stderr.write(
    `Error saving credentials: error storing credentials - err: exit status ${status}, ${stdout}\n`
  )
  process.exitCode = 1
}

/** The entry in config.json after a login that the registry accepted. */
function makeEntry(settings, kind, username, secret) {
  const helper = settings.credHelpers?.[host] ?? settings.credsStore
  if (helper) {
    storeInHelper(helper, username, secret)
    return {}
  }
  const encode = (text) => Buffer.from(text).toString('base64')
  if (kind === 'identity-token')
    return { auth: encode(`${username}:`), identitytoken: `identity-token-for-${host}` }
  return { auth: encode(`${username}:${secret}`) }
}

/** As docker does it: a file beside config.json, then a rename. */
function writeConfig(settings) {
  mkdirSync(configDirectory, { recursive: true, mode: 0o700 })
  const file = `${configFile}${process.pid}`
  writeFileSync(file, JSON.stringify(settings, null, '\t'), { mode: 0o600 })
  renameSync(file, configFile)
}

function login(kind, stdin) {
  const secret = stdin.toString('utf8').replace(/[\r\n]+$/u, '')
  const settings = config === null ? {} : JSON.parse(config)
  const entry = makeEntry(settings, kind, option('--username') ?? option('-u') ?? '', secret)
  writeConfig({ ...settings, auths: { ...settings.auths, [host]: entry } })
}

async function readStdin() {
  const chunks = []
  // Only a login reads: any other call may have a terminal there, which never ends.
  if (argv.includes('--password-stdin')) for await (const chunk of process.stdin) chunks.push(chunk)
  return Buffer.concat(chunks)
}

const stdin = await readStdin()
const {
  exitCode = 0,
  stdout,
  stderr = '',
  entry = exitCode === 0 ? 'secret' : 'none',
  delay = 0
} = answerNow()
await sleep(delay)
process.exitCode = exitCode
if (command === 'login' && entry !== 'none') login(entry, stdin)
const usual =
  { login: 'Login Succeeded\n', '--version': 'Docker version 28.2.2, build recording\n' }[command] ?? ''
process.stdout.write(stdout ?? (process.exitCode === 0 ? usual : ''))
process.stderr.write(stderr)

// sh starts this program, and leaves variables of its own: PWD, OLDPWD, SHLVL and _.
const shells = new Set(['PWD', 'OLDPWD', 'SHLVL', '_'])
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !shells.has(name)))
const sha256 = createHash('sha256').update(stdin).digest('hex')
const record = { argv, env, stdin: { bytes: stdin.length, sha256 }, configDirectory, config }
appendFileSync(callsFile, `${JSON.stringify({ ...record, pid: process.pid, started, ended: Date.now() })}\n`)
