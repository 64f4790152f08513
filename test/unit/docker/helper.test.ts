// Credential helpers, spoken to as docker does. The helper of these tests is a stand-in of our own.
import { delimiter } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import type { Credential } from '../../../src/credential/credential.ts'
import {
  eraseFromHelper,
  findHelper,
  getFromHelper,
  listHelper,
  storeInHelper,
  type CredentialHelper
} from '../../../src/docker/helper.ts'
import { checkHelperLogin, claimHelper, eraseUnused } from '../../../src/docker/helper-login.ts'
import { knownSecrets } from '../../../src/errors/redact.ts'
import type { HelperUse, Release } from '../../../src/docker/config/ledger.ts'
import { makeContext } from '../support/context.ts'
import { makeHelper, type HelperFaults, type StandInHelper } from '../support/credential-helper.ts'
import { setVariables, useOwnEnvironment } from '../support/environment.ts'
import { userError } from '../support/throwing.ts'

useOwnEnvironment()

const HOST = 'us.icr.io'
const CREDENTIAL: Credential = {
  username: 'iamapikey',
  secret: 'Wr1tQm7vXk_2ZpLd9sHcNfYb4RgTjUe6aGo8iKxMq-0v'
}
const wanted = { host: HOST, credential: CREDENTIAL, path: '/home/me/.docker/config.json' }

function standIn(faults?: HelperFaults): StandInHelper {
  const helper = makeHelper(faults)
  setVariables({ PATH: [helper.folder, process.env['PATH']].join(delimiter) })
  return helper
}

async function found(helper: StandInHelper): Promise<CredentialHelper> {
  return await findHelper(helper.name)
}

describe('a helper', () => {
  test('holds nothing, is given a login, holds it, and forgets it', async () => {
    const helper = standIn()
    const program = await found(helper)
    const context = makeContext()
    expect(await getFromHelper(program, HOST, context)).toBeUndefined()
    await storeInHelper(program, HOST, CREDENTIAL, context)
    expect(helper.held()).toEqual({ [HOST]: { Username: 'iamapikey', Secret: CREDENTIAL.secret } })
    expect(await getFromHelper(program, HOST, context)).toEqual(CREDENTIAL)
    expect(context.masks).toEqual([CREDENTIAL.secret])
    await eraseFromHelper(program, HOST, context)
    expect([helper.held(), helper.calls().map(({ verb }) => verb)]).toEqual([
      {},
      ['get', 'store', 'get', 'erase']
    ])
  })

  test('is given the secret on its standard input, and nowhere else', async () => {
    const helper = standIn()
    knownSecrets.add(CREDENTIAL.secret)
    setVariables({
      'INPUT_API-KEY': CREDENTIAL.secret,
      LANG: CREDENTIAL.secret,
      GITHUB_TOKEN: 'x',
      DOCKER_CONTEXT: 'x'
    })
    await storeInHelper(await found(helper), HOST, CREDENTIAL, makeContext())
    const [{ args, variables } = { args: [], variables: [] }] = helper.calls()
    expect(args).toEqual(['store'])
    for (const name of ['INPUT_API-KEY', 'LANG', 'GITHUB_TOKEN', 'DOCKER_CONTEXT'])
      expect(variables).not.toContain(name)
    expect(variables).toContain('PATH')
  })

  test.each([
    'credentials not found in native keychain',
    'Credentials Not Found',
    'error: credentials not found'
  ])('that says “%s” holds nothing', async (nothing) => {
    const helper = standIn({ nothing })
    expect(await getFromHelper(await found(helper), HOST, makeContext())).toBeUndefined()
  })

  test.each([
    ['{}', undefined],
    ['{"Username":"","Secret":""}', undefined],
    ['{"Username":"me"}', { username: 'me', secret: '' }],
    ['{"Secret":"s3cr3t"}', { username: '', secret: 's3cr3t' }],
    ['{"ServerURL":"us.icr.io","Username":"<token>","Secret":"t"}', { username: '<token>', secret: 't' }]
  ])('that answers %s holds %j', async (answers, credential) => {
    const helper = standIn({ answers })
    helper.hold(HOST, 'x', 'y')
    expect(await getFromHelper(await found(helper), HOST, makeContext())).toEqual(credential)
  })

  test('names the hosts that it holds a login for', async () => {
    const helper = standIn()
    helper.hold(HOST, 'me', 'x')
    helper.hold('https://index.docker.io/v1/', 'me', 'y')
    expect(await listHelper(await found(helper), makeContext())).toEqual([
      HOST,
      'https://index.docker.io/v1/'
    ])
  })

  test.each(['[]', 'no logins', '{"us.icr.io":"iamapi'])(
    'that lists %j is named: that is no list',
    async (lists) => {
      const program = await found(standIn({ lists }))
      expect(await userError(listHelper(program, makeContext()))).toContain('"standin" can\'t be read')
    }
  )

  test.each(['{}', '', 'null'])('that lists %j holds a login for none', async (lists) => {
    expect(await listHelper(await found(standIn({ lists })), makeContext())).toEqual([])
  })

  const byHand = 'echo us.icr.io | docker-credential-standin get'
  test.each([
    ['get', HOST, byHand],
    ['store', HOST, byHand],
    ['erase', HOST, byHand],
    ['list', 'all hosts', 'docker-credential-standin list']
  ])('that fails on %s is named, with its own words and what to try', async (verb, whose, attempt) => {
    const helper = standIn({ fails: { [verb]: 'gpg: decryption failed:\nNo secret key' } })
    const program = await found(helper)
    const work = {
      get: () => getFromHelper(program, HOST, makeContext()),
      store: () => storeInHelper(program, HOST, CREDENTIAL, makeContext()),
      erase: () => eraseFromHelper(program, HOST, makeContext()),
      list: () => listHelper(program, makeContext())
    }[verb as 'get']
    expect(await userError(work)).toBe(
      [
        `The credential helper "standin" ended with 2 on "${verb}" for ${whose}.`,
        'It said: gpg: decryption failed: No secret key',
        `Does it work by hand? Try: ${attempt}`
      ].join('\n')
    )
  })

  test('that fails and repeats what it was given is not quoted', async () => {
    const helper = standIn({ fails: { store: 'can’t parse INPUT' } })
    const message = await userError(storeInHelper(await found(helper), HOST, CREDENTIAL, makeContext()))
    expect(message).toContain('(not shown: the answer repeats the secret)')
    expect(message).not.toContain(CREDENTIAL.secret)
  })

  test('that fails without a word is named all the same', async () => {
    const helper = standIn({ fails: { erase: '' } })
    const message = await userError(eraseFromHelper(await found(helper), HOST, makeContext()))
    expect(message.split('\n')).toHaveLength(2)
  })

  test('that never ends is ended with the time', async () => {
    const helper = standIn({ hangs: ['get'] })
    const work = getFromHelper(await found(helper), HOST, makeContext({ budgetMs: 1000 }))
    expect(await userError(work)).toContain('was ended (SIGKILL) on "get"')
  })
})

describe('a helper that config.json names', () => {
  test('and that is not on the PATH is named, with what to do', async () => {
    expect(await userError(findHelper('nobody'))).toMatch(
      /names the credential helper "nobody", but docker-credential-nobody is not on the PATH\.\nInstall it, or take/
    )
  })

  test.each(['../evil', '/bin/sh', 'a b', '', 'a;b', '$(id)', 'a\nb', '##[error]x', '..\\evil'])(
    'as %j is not looked for, and not shown raw',
    async (name) => {
      standIn()
      const message = await userError(findHelper(name))
      expect(message).toContain('is not on the PATH')
      expect(message).not.toContain('##[')
      expect(message.split('\n')).toHaveLength(2)
    }
  )
})

describe('the use of a helper', () => {
  const claim = async (helper: StandInHelper): ReturnType<typeof claimHelper> =>
    await claimHelper(helper.name, wanted, makeContext())

  test('that holds nothing is ours: what we store is erased again', async () => {
    const helper = standIn()
    const claimed = await claim(helper)
    expect(claimed.use).toMatchObject({ name: 'standin', before: false })
    await storeInHelper(claimed.helper, HOST, CREDENTIAL, makeContext())
    const use = await checkHelperLogin(claimed, HOST, makeContext())
    expect(use).toEqual(claimed.use)
    expect(JSON.stringify(use)).not.toContain(CREDENTIAL.secret)
    expect(await erase(use)).toEqual([])
    expect(helper.held()).toEqual({})
  })

  test('that holds this very login already is not ours: it stays there', async () => {
    const helper = standIn()
    helper.hold(HOST, CREDENTIAL.username, CREDENTIAL.secret)
    const { use } = await claim(helper)
    expect(use.before).toBe(true)
    expect(await erase(use)).toEqual([])
    expect(helper.calls().map(({ verb }) => verb)).toEqual(['get'])
    expect(Object.keys(helper.held())).toEqual([HOST])
  })

  test.each([
    ['another user’s', 'me', CREDENTIAL.secret],
    ['another secret’s', 'iamapikey', '0th3r-s3cr3t'],
    ['an identity token', '<token>', 'x']
  ])('that holds %s login is refused before anything is lost', async (_, username, secret) => {
    const helper = standIn()
    helper.hold(HOST, username, secret)
    const message = await userError(claim(helper))
    expect(message).toContain(
      `The credential helper "standin" (${wanted.path}) holds another login for us.icr.io`
    )
    expect(message).not.toContain(secret)
    expect(helper.held()).toEqual({ [HOST]: { Username: username, Secret: secret } })
  })

  test('that got an identity token in place of the secret remembers that', async () => {
    const helper = standIn({ keepsToken: true })
    const claimed = await claim(helper)
    await storeInHelper(claimed.helper, HOST, CREDENTIAL, makeContext())
    const use = await checkHelperLogin(claimed, HOST, makeContext())
    expect(use.digest).not.toBe(claimed.use.digest)
    expect(await erase(use)).toEqual([])
    expect(helper.held()).toEqual({})
  })

  test.each([
    ['nothing', undefined],
    ['something else', 'another']
  ])('that says yes and holds %s is no login', async (_, secret) => {
    const helper = standIn({ ignores: ['store'] })
    const claimed = await claim(helper)
    await storeInHelper(claimed.helper, HOST, CREDENTIAL, makeContext())
    if (secret !== undefined) helper.hold(HOST, 'iamapikey', secret)
    expect(await userError(checkHelperLogin(claimed, HOST, makeContext()))).toContain(
      'does not hold this login'
    )
  })

  const erase = async (use: HelperUse | undefined): Promise<string[]> => {
    const releases: Release[] = [
      { host: HOST, outcome: 'removed', ...(use === undefined ? {} : { helper: use }) }
    ]
    return await eraseUnused('/nonexistent/.docker', releases, makeContext())
  }

  test('that holds somebody else’s login by now is told, and left', async () => {
    const helper = standIn()
    const { use } = await claim(helper)
    helper.hold(HOST, 'iamapikey', 'somebody else’s')
    expect(await erase(use)).toEqual([HOST])
    expect(Object.keys(helper.held())).toEqual([HOST])
  })

  test('that holds nothing by now has nothing to erase', async () => {
    const helper = standIn()
    const { use } = await claim(helper)
    expect(await erase(use)).toEqual([])
    expect(helper.calls().map(({ verb }) => verb)).toEqual(['get', 'get'])
  })

  test('that says it erased, and did not, is told', async () => {
    const helper = standIn({ ignores: ['erase'] })
    const claimed = await claim(helper)
    await storeInHelper(claimed.helper, HOST, CREDENTIAL, makeContext())
    const message = await userError(erase(claimed.use))
    expect(message).toContain('still holds the login for us.icr.io')
    expect(message).toContain('echo us.icr.io | docker-credential-standin erase')
  })

  test('that was none leaves nothing to erase', async () => {
    expect(await erase(undefined)).toEqual([])
  })
})
