// What is retried, what never is, and that it always ends.
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { createChance, withChance } from '../../../bench/fleet/chance.ts'
import type { Context } from '../../../src/context.ts'
import type { Reply, Request } from '../../../src/http/client.ts'
import { RetryableError } from '../../../src/http/fault.ts'
import { fetchReply, parseBody } from '../../../src/http/retry.ts'
import { makeContext } from '../support/context.ts'
import { useOwnEnvironment } from '../support/environment.ts'
import { SOCKET_FAULTS, startServer, type Answer, type Server, type SocketAnswer } from '../support/server.ts'
import { userError } from '../support/throwing.ts'

useOwnEnvironment()

const GOOD: Answer = { body: '{"token":"good"}' }
const HTML = '<!doctype html><title>Sign in to the Wi-Fi</title>'

function requestTo(host: string, more: Partial<Request> = {}): Request {
  return { method: 'GET', url: new URL(`http://${host}/v2/?q=hidden`), ...more }
}

async function ask(
  server: Server,
  context = makeContext(),
  more: Partial<Request> = {}
): Promise<Record<string, unknown>> {
  return await fetchReply(requestTo(server.host, more), parseBody, context)
}

const statusOf = ({ status }: Reply): number => status

describe('what another try may mend', () => {
  const statuses = [408, 425, 429, 500, 502, 503, 504, 520, 529]
  const faults: [string, Answer | SocketAnswer][] = [
    ...Object.entries(SOCKET_FAULTS),
    ...statuses.map((status): [string, Answer] => [`a ${status}`, { status, body: HTML }]),
    ['a 200 with nothing in it', {}],
    ['a 200 with a captive portal’s page', { body: HTML, headers: { 'content-type': 'text/html' } }],
    ['a 200 with half of its JSON', { body: '{"token":"go' }],
    ['a 200 with a list', { body: '[]' }],
    ['a 200 of more than 64 KiB', { body: `{"token":"${'x'.repeat(65_536)}"}` }]
  ]

  test.each(faults)('%s is no answer: the next one counts', async (_, fault) => {
    const server = await startServer(fault, GOOD)
    const context = makeContext()
    expect(await ask(server, context)).toEqual({ token: 'good' })
    expect([server.received.length, context.sleeps.length, context.infos.length]).toEqual([2, 1, 1])
  })

  test.each(faults)('%s, twice, is no answer: the third one counts', async (_, fault) => {
    const server = await startServer(fault, fault, GOOD)
    expect(await ask(server)).toEqual({ token: 'good' })
    expect(server.received).toHaveLength(3)
  })

  test.each(faults)(
    '%s for ever ends with an error that names the host and says what to do',
    async (_, fault) => {
      const server = await startServer(fault)
      const context = makeContext()
      const message = await userError(ask(server, context))
      expect(message).toMatch(
        /^GET 127\.0\.0\.1:\d+\/v2\/ could not be reached: .+\.\nCheck that this runner can reach the host/
      )
      expect(message + context.infos.join('\n')).not.toContain('hidden')
      expect(server.received).toHaveLength(4)
    }
  )

  test('each fault is said as what it is', async () => {
    const said: Record<string, string> = {}
    for (const [name, fault] of faults) {
      const [line = ''] = (await userError(ask(await startServer(fault)))).split('\n')
      said[name] = line.replace(/^.*could not be reached: /, '')
    }
    expect(said).toMatchObject({
      'a reset': 'it closed the connection before it had answered.',
      'a close': 'it closed the connection before it had answered.',
      'a body that is cut': 'its answer was cut short.',
      'a 503': 'it answered 503.',
      'a 200 with nothing in it': 'it answered 200 without JSON.',
      'a 200 of more than 64 KiB': 'its answer is over 64 KiB.'
    })
  })

  test('a service that is not there yet', async () => {
    const port = await freePort()
    const context = makeContext()
    const message = await userError(fetchReply(requestTo(`127.0.0.1:${port}`), parseBody, context))
    expect(message).toContain('could not be reached: it refused the connection.')
    expect(context.sleeps).toHaveLength(3)
  })

  test('a body of 64 KiB is taken', async () => {
    const body = `{"token":"${'x'.repeat(65_536 - 12)}"}`
    expect(body).toHaveLength(65_536)
    expect(Object.keys(await ask(await startServer({ body })))).toEqual(['token'])
  })

  test('a body is sent again, whole', async () => {
    const server = await startServer({ status: 503 }, GOOD)
    const body = 'grant=ü'
    await ask(server, makeContext(), { method: 'POST', body, headers: { 'content-type': 'text/plain' } })
    expect(server.received.map((each) => [each.method, each.body])).toEqual([
      ['POST', body],
      ['POST', body]
    ])
    expect(server.received[0]?.headers).toMatchObject({
      'content-length': '8',
      'content-type': 'text/plain',
      'accept-encoding': 'identity',
      accept: 'application/json',
      'user-agent': 'icr-login'
    })
  })

  test('a fault of the caller’s own is tried again like any other', async () => {
    const server = await startServer({}, GOOD)
    const read = ({ body }: Reply): string => {
      if (body === '') throw new RetryableError('it had nothing to say')
      return body
    }
    const context = makeContext()
    expect(await fetchReply(requestTo(server.host), read, context)).toBe(GOOD.body)
    expect(context.infos[0]).toContain('it had nothing to say. Trying again in')
  })
})

describe('what is never tried again', () => {
  test.each([200, 201, 204, 400, 401, 403, 404, 405, 409, 410, 418, 422, 451, 501])(
    '%i is an answer',
    async (status) => {
      const server = await startServer({ status })
      expect(await fetchReply(requestTo(server.host), statusOf, makeContext())).toBe(status)
      expect(server.received).toHaveLength(1)
    }
  )

  test.each([300, 301, 302, 303, 304, 305, 307, 308, 399])(
    '%i is not followed: the secret stays here',
    async (status) => {
      const other = await startServer(GOOD)
      const server = await startServer({ status, headers: { location: `http://${other.host}/x` } })
      const message = await userError(ask(server, makeContext(), { method: 'POST', body: 'secret' }))
      expect(message).toContain(`answered ${status}, a redirect, which is not followed`)
      expect([server.received.length, other.received.length]).toEqual([1, 0])
    }
  )

  test('an error of the caller’s own, for a user, goes through as it is', async () => {
    const server = await startServer(GOOD)
    const { UserError } = await import('../../../src/errors/user-error.ts')
    const error = new UserError('refused', 'do this')
    const read = (): never => {
      throw error
    }
    await expect(fetchReply(requestTo(server.host), read, makeContext())).rejects.toBe(error)
    expect(server.received).toHaveLength(1)
  })
})

describe('the wait before another try', () => {
  interface Wait {
    readonly wait: number
    readonly left: number
  }

  /** Each wait after a service that answers so for ever, and what was left then; time passes in waits alone. */
  const waitsFor = async (
    status: number,
    headers: Record<string, string>,
    { budgetMs = 60_000, chance = Math.random } = {}
  ): Promise<Wait[]> => {
    const waits: Wait[] = []
    let now = 0
    const context: Context = {
      ...makeContext(),
      now: () => now,
      checkActive: () => undefined,
      deadline: budgetMs,
      sleep: (wait) => {
        waits.push({ wait, left: budgetMs - now })
        now += wait
        return Promise.resolve()
      }
    }
    const attempt = (): Promise<Reply> => {
      expect(now).toBeLessThan(budgetMs)
      return Promise.resolve({ status, headers, body: '' })
    }
    const asking = withChance(chance, () => fetchReply(requestTo('127.0.0.1'), parseBody, context, attempt))
    expect(await userError(asking)).toContain(`it answered ${status}`)
    return waits
  }

  // With a chance of 0 the shortest waits, with 0.5 those in the middle.
  test.each<[number, string | undefined, number, number, number[]]>([
    [503, undefined, 60, 0, [0, 0, 0]],
    [503, undefined, 60, 0.5, [500, 1000, 2000]],
    [503, '0', 60, 0.5, [500, 1000, 2000]],
    [503, '7', 60, 0.5, [7500, 8000, 9000]],
    [503, '7', 10, 0.5, [7375]],
    [503, '59', 60, 0.5, [59_125]],
    [503, undefined, 1, 0.5, [125, 109.375, 95.703125]],
    [429, undefined, 60, 0, [5000, 5000, 5000]],
    [429, undefined, 60, 0.5, [7500, 10_000, 10_312.5]],
    [429, '1', 60, 0.5, [7500, 10_000, 10_187.5]],
    [429, '5', 60, 0, [5000, 5000, 5000]],
    [429, '10', 60, 0, [10_000, 10_000, 10_000]],
    [429, '10', 60, 0.5, [12_500, 14_687.5, 12_851.5625]],
    [429, '59', 60, 0.5, [59_125]],
    [429, undefined, 4, 0, [1000, 750, 562.5]],
    [429, undefined, 4, 0.5, [1500, 937.5, 585.9375]]
  ])(
    'after %i with Retry-After %s, %i s left, at a chance of %f',
    async (status, asked, left, chance, waits) => {
      const headers = asked === undefined ? {} : { 'retry-after': asked }
      const found = await waitsFor(status, headers, { budgetMs: left * 1000, chance: () => chance })
      expect(found.map(({ wait }) => wait)).toEqual(waits)
    }
  )

  test('is never shorter than was asked for, and leaves half of the time after that', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(408, 429, 500, 503),
        fc.option(fc.integer({ min: 0, max: 130 }), { nil: undefined }),
        fc.integer({ min: 1, max: 120_000 }),
        fc.integer({ min: 0, max: 0xffff_ffff }),
        async (status, asked, budgetMs, seed) => {
          const headers = asked === undefined ? {} : { 'retry-after': String(asked) }
          const waits = await waitsFor(status, headers, { budgetMs, chance: createChance(seed) })
          expect(waits.length).toBeLessThanOrEqual(3)
          for (const { wait, left } of waits) {
            const least = (asked ?? 0) * 1000
            expect(wait).toBeGreaterThanOrEqual(least)
            expect(wait).toBeLessThanOrEqual(least + (left - least) / 2)
          }
        }
      )
    )
  })

  test.each([
    [503, [0, 0, 0], [1000, 2000, 4000]],
    [429, [5000, 5000, 5000], [10_000, 15_000, 22_500]]
  ])('after %i is another one for each job, from the whole of its range', async (status, lowest, highest) => {
    const rounds = await Promise.all(Array.from({ length: 40 }, () => waitsFor(status, {})))
    highest.forEach((high, at) => {
      const waits = rounds.map((round) => round[at]?.wait ?? NaN)
      const low = lowest[at] ?? NaN
      for (const wait of waits) expect(wait).toBeGreaterThanOrEqual(low)
      for (const wait of waits) expect(wait).toBeLessThan(high)
      // 40 draws that all lie within one third have a chance below one in a million million.
      if (at < 2) expect(Math.max(...waits) - Math.min(...waits)).toBeGreaterThan((high - low) / 3)
    })
  })

  const waitAfter = async (text: string): Promise<number> => {
    const context = makeContext()
    await ask(await startServer({ status: 503, headers: { 'retry-after': text } }, GOOD), context)
    expect(context.sleeps).toHaveLength(1)
    return context.sleeps[0] ?? NaN
  }

  test('is at least what the service asked for, in seconds or as a date', async () => {
    const seconds = await waitAfter('7')
    expect(seconds).toBeGreaterThanOrEqual(7_000)
    expect(seconds).toBeLessThan(8_000)
    const date = await waitAfter(new Date(Date.now() + 20_000).toUTCString())
    expect(date).toBeGreaterThan(5_000)
    expect(date).toBeLessThan(21_000)
  })

  test.each(['Wed, 21 Oct 2015 07:28:00 GMT', 'soon', '', '-', '1e9', '9999999999'])(
    'is our own where Retry-After has passed, or makes no sense: %j',
    async (text) => {
      const wait = await waitAfter(text)
      expect(wait).toBeGreaterThanOrEqual(0)
      expect(wait).toBeLessThan(1000)
    }
  )

  test.each(['61', '3600', new Date(Date.now() + 3_600_000).toUTCString()])(
    'is not begun where the time that is left has no room for it: %s',
    async (text) => {
      const server = await startServer({ status: 503, headers: { 'retry-after': text } })
      const context = makeContext()
      expect(await userError(ask(server, context))).toContain('it answered 503')
      expect([server.received.length, context.sleeps]).toEqual([1, []])
    }
  )

  test('is said, with the reason and the time', async () => {
    const context = makeContext()
    const server = await startServer({ status: 502, headers: { 'retry-after': '2' } }, GOOD)
    await ask(server, context)
    expect(context.sleeps).toHaveLength(1)
    const seconds = ((context.sleeps[0] ?? NaN) / 1000).toFixed(1)
    expect(context.infos).toEqual([`GET ${server.host}/v2/: it answered 502. Trying again in ${seconds} s.`])
  })
})

describe('the end of the time', () => {
  test('is said where there is none left for the first try', async () => {
    const server = await startServer(GOOD)
    const message = await userError(ask(server, makeContext({ budgetMs: 0 })))
    expect(message).toContain('was not asked: the time is up')
    expect(server.received).toHaveLength(0)
  })

  const never: SocketAnswer = { raw: () => undefined }
  const drip = (start: string): SocketAnswer => ({
    raw: (socket) => {
      socket.write(start)
      const timer = setInterval(() => socket.write(' '), 20)
      socket.on('close', () => {
        clearInterval(timer)
      })
    }
  })

  test.each([
    ['says nothing', never],
    ['says its headers a byte at a time', drip('HTTP/1.1 200 OK\r\nX-Long:')],
    ['says its body a byte at a time', drip('HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n')],
    ['says 100 Continue, and no more', { raw: (socket) => socket.write('HTTP/1.1 100 Continue\r\n\r\n') }]
  ])('comes in time for a service that %s', async (_, answer) => {
    const server = await startServer(answer)
    const context = makeContext({ budgetMs: 1000 })
    expect(await userError(ask(server, context))).toContain('it did not answer in time')
    expect(server.received).toHaveLength(1)
    expect(context.now()).toBeGreaterThanOrEqual(context.deadline - 50)
    // One try alone may take 10 s: it was cut off before.
    expect(context.now()).toBeLessThan(context.deadline + 8_000)
  })

  test('comes in time for a machine that takes the connection and never reads', async () => {
    const sockets: Socket[] = []
    const silent = createServer((socket) => sockets.push(socket.pause()))
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const { port } = silent.address() as AddressInfo
    const request = requestTo(`127.0.0.1:${port}`)
    expect(await userError(fetchReply(request, parseBody, makeContext({ budgetMs: 1000 })))).toContain(
      'in time'
    )
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => silent.close(resolve))
  })

  test('is no reason to leave a connection behind', async () => {
    const closed = new Promise<string>((resolve) => {
      const answer: SocketAnswer = {
        raw: (socket) =>
          socket.on('close', () => {
            resolve('closed')
          })
      }
      void startServer(answer).then((server) =>
        ask(server, makeContext({ budgetMs: 1000 })).catch(() => undefined)
      )
    })
    expect(await closed).toBe('closed')
  })
})

describe('who watches', () => {
  test('is told before each try, and what came of it', async () => {
    const server = await startServer({ raw: (socket) => socket.resetAndDestroy() }, { status: 503 }, GOOD)
    const told: unknown[] = []
    const watch = (): ((status: number | undefined) => void) => {
      told.push('try')
      return (status) => told.push(status)
    }
    await ask(server, makeContext(), { watch })
    expect(told).toEqual(['try', undefined, 'try', 503, 'try', 200])
  })
})

describe('where there is no second chance', () => {
  test('a request is retried until the deadline, which is kept', async () => {
    let attempts = 0
    const context = { ...makeContext({ budgetMs: 40_000 }), untilDeadline: true }
    const attempt = (): Promise<Reply> => {
      attempts++
      return Promise.resolve({ status: 503, headers: {}, body: '' })
    }
    await userError(fetchReply(requestTo('127.0.0.1', { attempts: 2 }), parseBody, context, attempt))
    expect(attempts).toBeGreaterThan(8)
    expect(context.deadline - context.now()).toBeGreaterThanOrEqual(0)
    expect(context.deadline - context.now()).toBeLessThan(200)
  })
})

describe('a request with fewer attempts', () => {
  test('is sent that often and no more', async () => {
    const server = await startServer({ status: 503 })
    await userError(ask(server, makeContext(), { attempts: 2 }))
    expect(server.received).toHaveLength(2)
  })
})

/** A port where nothing listens. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
