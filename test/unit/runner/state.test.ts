// What main leaves for post, and that post believes no other.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { MintState } from '../../../src/mint/journal.ts'
import { readState, saveStarted, saveState, type State } from '../../../src/runner/state.ts'
import { parseFile } from '../../support/workflow-commands.ts'
import { setVariables, useOwnEnvironment } from '../support/environment.ts'
import { makeFolder } from '../support/home.ts'
import { HOSTILE_PLACES } from '../support/hostile.ts'
import { userError } from '../support/throwing.ts'

useOwnEnvironment()

const LOGIN_ID = '0123456789abcdef'
const STATE: State = {
  loginId: LOGIN_ID,
  directory: '/home/me/.docker',
  scratch: `/tmp/icr-login-${LOGIN_ID}`,
  hosts: ['us.icr.io', '127.0.0.1:5000'],
  stage: 'held',
  expiresAt: '2026-08-14T12:00:00Z'
}

const MINT: MintState = {
  method: 'api-key',
  name: 'icr-login/me/app/1/1/0123456789abcdef',
  iamUrl: 'https://iam.cloud.ibm.com',
  authMethod: 'api-key',
  digest: 'x',
  profile: '',
  serviceId: 'iam-ServiceId-1b7a4c02',
  sent: true,
  unanswered: 0,
  lastSentAt: 0,
  made: [{ id: 'ApiKey-1b7a' }, { id: 'ae57b394', host: 'us.icr.io' }],
  expiresAt: '2026-08-14T12:00:00Z',
  openUntil: 0
}

let file: string

beforeEach(() => {
  file = join(makeFolder(), 'state')
  writeFileSync(file, '')
  setVariables({ GITHUB_STATE: file, STATE_login: undefined })
})

afterEach(() => {
  setVariables({ STATE_login: undefined })
})

/** As the runner hands it to post. */
function handOver(): void {
  setVariables({ STATE_login: parseFile(readFileSync(file, 'utf8'))['login'] })
}

function given(state: unknown): void {
  setVariables({ STATE_login: typeof state === 'string' ? state : JSON.stringify(state) })
}

describe('what main saved', () => {
  test.each<Partial<State>>([
    {},
    { stage: 'begun', expiresAt: '' },
    { stage: 'kept' },
    { hosts: ['icr.io'] },
    { expiresAt: '+275760-09-13T00:00:00Z' }
  ])('is what post reads: %j', (changes) => {
    saveStarted()
    saveState({ ...STATE, stage: 'begun', expiresAt: '' })
    saveState({ ...STATE, ...changes })
    handOver()
    expect(readState()).toEqual({ ...STATE, ...changes })
  })

  test('is nothing to undo where it had only begun, or never ran', () => {
    expect(readState()).toBeUndefined()
    saveStarted()
    handOver()
    expect(readState()).toBeUndefined()
  })
})

describe('what a step in between put there', () => {
  test.each<[string, unknown]>([
    ['no JSON', '{'],
    ['no object', '[]'],
    ['null', 'null'],
    ['no login ID', { ...STATE, loginId: undefined }],
    [
      'a login ID that is a path',
      { ...STATE, loginId: '../../../../x', scratch: '/tmp/icr-login-../../../../x' }
    ],
    ['a long login ID', { ...STATE, loginId: `${LOGIN_ID}0`, scratch: `/tmp/icr-login-${LOGIN_ID}0` }],
    [
      'a login ID in capitals',
      { ...STATE, loginId: LOGIN_ID.toUpperCase(), scratch: `/tmp/icr-login-${LOGIN_ID.toUpperCase()}` }
    ],
    ['a login ID with a line end', { ...STATE, loginId: `${LOGIN_ID}\n` }],
    ['a folder that is relative', { ...STATE, directory: '.docker' }],
    ['a folder that goes up', { ...STATE, directory: '/home/me/../you/.docker' }],
    ['a folder with a slash at its end', { ...STATE, directory: '/home/me/.docker/' }],
    ['no folder', { ...STATE, directory: 7 }],
    ['a scratch folder that is not ours', { ...STATE, scratch: '/home/me' }],
    ['a scratch folder that is another job’s', { ...STATE, scratch: '/tmp/icr-login-fedcba9876543210' }],
    ['a scratch folder that goes up', { ...STATE, scratch: `/tmp/x/../icr-login-${LOGIN_ID}` }],
    ['the root as a scratch folder', { ...STATE, scratch: '/' }],
    ['no hosts', { ...STATE, hosts: 'us.icr.io' }],
    ['a host that is no text', { ...STATE, hosts: ['us.icr.io', 7] }],
    ['a stage that there is not', { ...STATE, stage: 'done' }],
    ['an end that is no text', { ...STATE, expiresAt: 7 }],
    ['an end that is no time', { ...STATE, expiresAt: 'soon' }],
    ['an end that is a command', { ...STATE, expiresAt: '\n::error::x' }],
    ['an end that hides a command', { ...STATE, expiresAt: '2026-08-14T12:00:00Z##[error]x' }]
  ])('(%s) is refused, and nothing is undone by it', async (_, state) => {
    given(state)
    expect(await userError(() => readState())).toContain('was changed since, so nothing was cleaned up')
  })

  test.each<[string, object]>([
    ['no name', { name: 7 }],
    ['a name that is not ours', { name: 'production' }],
    ['a name with a query', { name: 'icr-login/x?all=true' }],
    ['a name without an end', { name: `icr-login/${'x'.repeat(101)}` }],
    ['an IAM that is not IBM’s', { iamUrl: 'https://iam.cloud.ibm.com.evil.test' }],
    ['an IAM in plain http', { iamUrl: 'http://iam.cloud.ibm.com' }],
    ['a service ID that is none', { serviceId: 'iam-ServiceId-1/../2' }],
    ['made that is no list', { made: {} }],
    ['made of what is no ID', { made: ['ApiKey-1'] }],
    ['an ID with a path', { made: [{ id: '../serviceids/x' }] }],
    ['an ID that is empty', { made: [{ id: '' }] }],
    ['an ID on a host that is not IBM’s', { made: [{ id: 'x', host: 'evil.test' }] }],
    ['sent that is no truth', { sent: 'true' }],
    ['an end that hides a command', { expiresAt: '##[error]x' }],
    ['no time until which it is open', { openUntil: '0' }]
  ])('of a mint with %s is refused', async (_, changes) => {
    given({ ...STATE, mint: MINT })
    expect(readState()).toEqual({ ...STATE, mint: MINT })
    given({ ...STATE, mint: { ...MINT, ...changes } })
    expect(await userError(() => readState())).toContain('was changed since')
  })

  test('of a mint that is no object is refused', async () => {
    given({ ...STATE, mint: [] })
    expect(await userError(() => readState())).toContain('was changed since')
  })

  test('with a host that is not IBM’s is refused', async () => {
    const accepted: string[] = []
    for (const host of HOSTILE_PLACES) {
      given({ ...STATE, hosts: ['us.icr.io', host] })
      await userError(() => readState()).catch(() => accepted.push(host))
    }
    expect(accepted).toEqual([])
  })

  test('is shown to nobody', async () => {
    given({ ...STATE, loginId: '##[error]x' })
    expect(await userError(() => readState())).not.toContain('##[')
  })
})
