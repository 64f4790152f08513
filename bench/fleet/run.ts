// Many jobs that log in together: the HTTP client's own retries, in simulated time.
import type { Context } from '../../src/context.ts'
import { UserError } from '../../src/errors/user-error.ts'
import type { Reply, Request } from '../../src/http/client.ts'
import { fetchReply, parseBody } from '../../src/http/retry.ts'
import { createChance, withChance } from './chance.ts'
import { createClock, type Clock } from './clock.ts'
import type { Policy } from './policies.ts'
import { createIam, type Limits } from './simulated-iam.ts'

/** Jobs that start within five seconds, and the IAM that they ask. */
export interface World extends Limits {
  readonly jobs: number
  readonly seed: number
}

export interface Job {
  readonly tries: number
  /** Milliseconds from its start to its token; undefined where it got none within the timeout. */
  readonly took: number | undefined
}

const TOKEN_REQUEST: Request = { method: 'POST', url: new URL('https://iam.cloud.ibm.com/identity/token') }

const START_MS = 5_000
const TIMEOUT_MS = 60_000
/** The way to IAM and back, which is longer for some than for others. */
const SHORTEST_WAY_MS = 50
const LONGEST_WAY_MS = 150

/** Runs a world's jobs to their end. A policy's waits take the place of those that the client chose. */
export async function runFleet(world: World, policy?: Policy): Promise<Job[]> {
  const chance = createChance(world.seed)
  const clock = createClock()
  const answer = createIam(world, chance)
  return await withChance(chance, async () => {
    const jobs = Array.from({ length: world.jobs }, () => runJob(world, clock, answer, policy))
    await clock.run()
    return await Promise.all(jobs)
  })
}

async function runJob(
  { retryAfter = 0 }: World,
  clock: Clock,
  answer: (now: number) => Reply,
  policy: Policy | undefined
): Promise<Job> {
  await clock.sleep(Math.random() * START_MS)
  const began = clock.now()
  const choose = policy?.()
  let [tries, busy] = [0, false]
  const context: Context = {
    mask: ignore,
    info: ignore,
    warning: ignore,
    now: () => clock.now(),
    sleep: async (chosen) => {
      await clock.sleep(choose?.({ busy, asked: busy ? retryAfter * 1000 : 0 }, tries) ?? chosen)
    },
    checkActive: () => undefined,
    deadline: began + TIMEOUT_MS
  }
  const attempt = async (): Promise<Reply> => {
    tries++
    busy = false
    await clock.sleep(SHORTEST_WAY_MS + Math.random() * (LONGEST_WAY_MS - SHORTEST_WAY_MS))
    const reply = answer(clock.now())
    busy = reply.status === 429
    return reply
  }
  const token = await fetchReply(TOKEN_REQUEST, parseBody, context, attempt).catch(toNone)
  const took = clock.now() - began
  return { tries, took: token === undefined || took > TIMEOUT_MS ? undefined : took }
}

function ignore(): void {
  // Nobody reads the log of a simulated job.
}

/** A job that the client has given up; anything else that is thrown is a mistake. */
function toNone(error: unknown): undefined {
  if (!(error instanceof UserError)) throw error
}
