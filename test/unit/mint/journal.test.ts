import { describe, expect, test } from '@jest/globals'
import { type MintState, openJournal } from '../../../src/mint/journal.ts'
import { formatName } from '../../../src/mint/mint.ts'
import { UserError } from '../../../src/errors/user-error.ts'
import { makeContext } from '../support/context.ts'

const NONCE = '0123456789abcdef'

const env = (repository: string, run = '1658821493', attempt = '1'): NodeJS.ProcessEnv => ({
  GITHUB_REPOSITORY: repository,
  GITHUB_RUN_ID: run,
  GITHUB_RUN_ATTEMPT: attempt
})

describe('The name of what is minted', () => {
  test('says whose it is, and is no other’s', () => {
    expect(formatName(NONCE, env('octocat/hello-world'))).toBe(
      `icr-login/octocat/hello-world/1658821493/1/${NONCE}`
    )
  })

  test.each([
    ['outside of GitHub', {}],
    ['the longest names there are', env(`${'o'.repeat(39)}/${'r'.repeat(100)}`, '9'.repeat(20), '999')],
    ['characters of any kind', env('ö c/"r\n}', '%0A', '::')],
    ['more than anybody has', env('x'.repeat(10_000))]
  ])('fits into IAM’s limits, and into what state believes: %s', (_, given) => {
    const name = formatName(NONCE, given)
    expect(name.length).toBeLessThanOrEqual(100)
    expect(name).toMatch(/^icr-login\/[\w./-]+$/u)
    expect(name.startsWith('icr-login/')).toBe(true)
    expect(name.endsWith(`/${NONCE}`)).toBe(true)
  })

  test('that is too long keeps the run and the attempt', () => {
    expect(formatName(NONCE, env(`o/${'r'.repeat(100)}`))).toContain(`/1658821493/1/${NONCE}`)
  })
})

const PLAN: MintState = {
  method: 'api-key',
  name: `icr-login/octocat/hello-world/1/1/${NONCE}`,
  iamUrl: 'https://iam.cloud.ibm.com',
  authMethod: 'api-key',
  digest: 'd',
  profile: '',
  serviceId: 'iam-ServiceId-1',
  sent: false,
  unanswered: 0,
  lastSentAt: 0,
  made: [],
  expiresAt: '2030-01-01T00:00:00Z',
  openUntil: 0
}

function open(): { saved: MintState[]; journal: ReturnType<typeof openJournal>; now: () => number } {
  const saved: MintState[] = []
  const context = makeContext()
  const journal = openJournal(PLAN, (state) => saved.push(state), context)
  return { saved, journal, now: () => context.now() }
}

describe('What is written down', () => {
  test('is the intent, before anything is sent', () => {
    expect(open().saved).toEqual([PLAN])
  })

  test('is nothing once the post of the job has begun: then no request is sent', () => {
    const saved: MintState[] = []
    const context = {
      ...makeContext(),
      checkActive: () => {
        throw new UserError('The post step of this job has begun.', 'Nothing was minted.')
      }
    }
    const journal = openJournal(PLAN, (state) => saved.push(state), context)
    expect(() => journal.watch()).toThrow(UserError)
    expect(saved).toEqual([PLAN])
  })

  test('is that a request is on its way, before it is', () => {
    const { saved, journal, now } = open()
    journal.watch()
    expect(saved.at(-1)).toMatchObject({ sent: true })
    // As long as a try, and as long again.
    expect((saved.at(-1)?.openUntil ?? 0) - now()).toBeGreaterThan(19_000)
    expect((saved.at(-1)?.openUntil ?? 0) - now()).toBeLessThanOrEqual(20_000)
  })

  test.each([undefined, 408, 500, 502, 503, 504, 520])(
    'leaves open what an answer of %s leaves open',
    (status) => {
      const { saved, journal, now } = open()
      journal.watch()(status)
      expect(saved.at(-1)).toMatchObject({ sent: true, unanswered: 1 })
      expect(saved.at(-1)?.openUntil).toBeGreaterThan(now())
    }
  )

  test.each([400, 401, 403, 404, 409, 410, 425, 429])(
    'has to look once, and waits for nothing, where a request was refused with %d',
    (status) => {
      const { saved, journal } = open()
      journal.watch()(status)
      expect(saved.at(-1)).toMatchObject({ sent: true, unanswered: 0, openUntil: 0 })
    }
  )

  test.each([200, 201])('waits for nothing more after %d, and has to look once', (status) => {
    const { saved, journal } = open()
    journal.watch()(status)
    expect(saved.at(-1)).toMatchObject({ sent: true, openUntil: 0 })
  })

  test('of several requests is the last that is open', () => {
    const { saved, journal, now } = open()
    const [first, second] = [journal.watch(), journal.watch()]
    first(undefined)
    second(201)
    expect(saved.at(-1)?.openUntil).toBeGreaterThan(now())
    journal.watch()(403)
    expect(saved.at(-1)).toMatchObject({ sent: true })
  })

  test('has the ID and the end of what was made', () => {
    const { saved, journal } = open()
    journal.watch()(201)
    expect(saved.at(-1)).toMatchObject({ unanswered: 1, openUntil: 0 })
    journal.made({ id: 'ApiKey-1' }, new Date(1_800_000_000_000))
    expect(saved.at(-1)).toMatchObject({
      unanswered: 0,
      made: [{ id: 'ApiKey-1' }],
      expiresAt: '2027-01-15T08:00:00Z'
    })
  })
})
