// Preloaded into a step with --import: writes down which process it is and each change that it makes to a file, and
// ends it at one of them, if told to. HALT_PID and HALT_LOG are files; HALT_AT is such as `state 3 before`, `file 5`
// or `docker 20` (so many milliseconds after docker was started); HALT_SIGNAL is what it is ended with.
import childProcess from 'node:child_process'
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { watchCalls } from './watched-calls.ts'

const { HALT_PID = '', HALT_LOG = '', HALT_AT = '', HALT_SIGNAL = '', GITHUB_STATE = '' } = process.env
const append = fs.appendFileSync
const [kind = '', number = '', when = ''] = HALT_AT.split(' ')
const counted = { state: 0, file: 0 }

fs.writeFileSync(HALT_PID, String(process.pid))

function note(what: string): void {
  if (HALT_LOG !== '') append(HALT_LOG, `${what}\n`)
}

function halt(): void {
  note(`halted by ${HALT_SIGNAL}`)
  // The runner, too, kills the whole tree: this process leads its group.
  process.kill(HALT_SIGNAL === 'SIGKILL' ? -process.pid : process.pid, HALT_SIGNAL)
}

/** Counts a change, and ends the process if it is the one. */
function step(of: keyof typeof counted, what: string): void {
  counted[of] += 1
  note(`${of} ${counted[of]} ${what}`)
  if (kind === of && Number(number) === counted[of] && when !== 'after') halt()
}

watchCalls(fs, ['appendFileSync'], (call, _, file) => {
  if (file !== GITHUB_STATE) return call()
  step('state', 'saved')
  call()
  if (kind === 'state' && Number(number) === counted.state && when === 'after') halt()
  return undefined
})
const changes = ['mkdirSync', 'renameSync', 'rmSync', 'rmdirSync', 'writeFileSync', 'openSync']
watchCalls(fs, changes, (call, name, file) => {
  step('file', `${name} ${file}`)
  return call()
})

const spawn = childProcess.spawn as unknown as (...given: unknown[]) => unknown
Object.assign(childProcess, {
  spawn: (...given: unknown[]) => {
    note(`started ${String(given[0])}`)
    if (kind === 'docker') setTimeout(halt, Number(number))
    return spawn(...given)
  }
})

syncBuiltinESMExports()
