import { createHash } from 'node:crypto'
import type { Context } from '../context.ts'
import { formatTime } from '../credential/credential.ts'
import type { MintRecord, MintWay } from './method.ts'
import type { MintJob } from './mint.ts'
import type { MintState } from '../runner/state.ts'

/** Ends are rounded up to the minute, and clocks differ a little. */
export const SLACK_MS = 60_000

/**
 * For so long after a request was sent, what it asks for may still be made: the 10 s that a try waits for its answer,
 * and as long again for a service that goes on when nobody waits any more.
 */
const ON_ITS_WAY_MS = 20_000

export interface Journal {
  readonly record: MintRecord
  state(): MintState
}

/**
 * Keeps in state what post has to know, from before the first request on.
 * @param save writes it to state
 */
export function openJournal(
  job: MintJob,
  way: MintWay,
  save: (state: MintState) => void,
  context: Context
): Journal {
  let state = planMint(job, way, context)
  save(state)
  const requests = new Set<{ until: number }>()
  const update = (change: Partial<MintState> = {}): void => {
    const openUntil = Math.max(0, ...[...requests].map(({ until }) => until))
    state = { ...state, ...change, sent: requests.size > 0, openUntil }
    save(state)
  }
  return {
    state: () => state,
    record: {
      watch: () => {
        const request = { until: context.now() + ON_ITS_WAY_MS }
        requests.add(request)
        update()
        return (status) => {
          if (status === undefined || isDoubtful(status)) return
          request.until = 0
          // A refused request made nothing.
          if (status >= 400) requests.delete(request)
          update()
        }
      },
      made: (id, end) => {
        update({ made: [...state.made, id], ends: formatTime(end) })
      }
    }
  }
}

/** A gateway that lost patience, or a service that stumbled: the work on the request may go on behind it. */
function isDoubtful(status: number): boolean {
  return status === 408 || status >= 500
}

function planMint({ identity, iamUrl, mint, nonce }: MintJob, way: MintWay, context: Context): MintState {
  const lifetimeMs = mint.lifetimeMs ?? way.usualMs ?? way.longestMs
  return {
    way: mint.way,
    name: formatName(nonce, process.env),
    iamUrl,
    minter: identity.kind,
    // Post asks for the secret only where it has something to revoke.
    digest: identity.kind === 'keyless' || way.revoker === undefined ? '' : digestOf(identity.secret),
    profile: identity.kind === 'keyless' ? identity.profile.value : '',
    serviceId: mint.serviceId ?? '',
    sent: false,
    made: [],
    ends: formatTime(new Date(context.now() + lifetimeMs + SLACK_MS)),
    openUntil: 0
  }
}

/** The hash by which post knows the secret that main was given. */
export function digestOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}

const LONGEST_NAME = 100

/** `icr-login/<owner>/<repo>/<run id>/<attempt>/<nonce>`; a name that is too long loses its middle. */
export function formatName(nonce: string, env: NodeJS.ProcessEnv): string {
  const place = [env['GITHUB_REPOSITORY'], env['GITHUB_RUN_ID'], env['GITHUB_RUN_ATTEMPT']]
  const middle = place
    .filter(Boolean)
    .join('/')
    .replace(/[^\w./-]/g, '-')
  return `icr-login/${middle.slice(-(LONGEST_NAME - nonce.length - 'icr-login//'.length))}/${nonce}`
}
