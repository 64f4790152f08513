// `npm run test:real`: the tests with real programs. Arguments go on to jest.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { missingPrograms, realPrograms } from '../support/programs.ts'

const root = join(import.meta.dirname, '../..')
const jest = ['--experimental-vm-modules', '--no-warnings', join(root, 'node_modules/jest/bin/jest.js')]
const options = ['--config', join(root, 'test/real/jest.config.js'), '--runInBand', ...process.argv.slice(2)]

/** dockerd and buildah work as root only; who may sudo without a password is asked for nothing. */
function asRoot(command: string[]): string[] {
  return process.getuid?.() === 0 ? command : ['sudo', '--non-interactive', '--preserve-env', ...command]
}

function run(command: string[]): void {
  const [program = '', ...args] = asRoot(command)
  const child = spawn(program, args, { cwd: root, stdio: 'inherit' })
  child.on('error', (error) => {
    console.error(`${program}: ${error.message}`)
    process.exitCode = 1
  })
  child.on('exit', (code) => {
    process.exitCode = code ?? 1
  })
}

const missing = missingPrograms(realPrograms)
if (missing.length > 0) {
  console.error(`Not on this machine: ${missing.join(', ')}. \`bash test/real/setup.sh\` installs them.`)
  process.exitCode = 1
} else {
  run([process.execPath, ...jest, ...options])
}
