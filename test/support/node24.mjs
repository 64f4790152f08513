// Runs its arguments on Node 24, the runtime that action.yml names, whatever Node started this.
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { node24 } from './node24-path.mjs'

const child = spawn(node24(), process.argv.slice(2), { stdio: 'inherit' })
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]))
