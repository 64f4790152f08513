// A throw-away `pass` store in a home: what docker-credential-pass needs.
import { appendFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { runChild, runWell } from '../support/child.ts'
import { needProgram } from '../support/programs.ts'

export interface PasswordStore {
  /** Folders that must be on the PATH of whoever calls the helper: pass is a script that calls a dozen programs. */
  path: string[]
  /** Calls the helper as docker does. */
  call(
    verb: 'get' | 'store' | 'erase' | 'list',
    input?: string
  ): Promise<{ exitCode: number | null; stdout: string }>
  close(): Promise<void>
}

const who = 'job@localhost.invalid'

export async function makePasswordStore(home: string): Promise<PasswordStore> {
  const path = ['/usr/local/bin', '/usr/bin', '/bin']
  const env = { HOME: home, PATH: path.join(':') }
  const gnupg = join(home, '.gnupg')
  mkdirSync(gnupg, { mode: 0o700 })
  // Nobody is there to be asked for a passphrase.
  appendFileSync(join(gnupg, 'gpg.conf'), 'batch\nno-tty\ntrust-model always\n')
  const key = ['--batch', '--passphrase', '', '--quick-generate-key', who, 'default', 'default', 'never']
  await runWell(needProgram('gpg'), key, { env })
  await runWell(needProgram('pass'), ['init', who], { env })
  return {
    path,
    call: (verb, input = '') => runChild(needProgram('docker-credential-pass'), [verb], { env, input }),
    close: async () => {
      // gpg leaves an agent behind, which belongs to this home alone.
      await runWell(needProgram('gpgconf'), ['--homedir', gnupg, '--kill', 'all'], { env })
    }
  }
}
