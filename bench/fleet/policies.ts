// What a client may do after a 429: the rivals of its own policy.

export interface Failure {
  /** It was a 429, and no other fault. */
  readonly busy: boolean
  /** Milliseconds of Retry-After; 0 if IAM told none. */
  readonly asked: number
}

/** The wait after a job's n-th try, in milliseconds; undefined leaves it to the client. */
export type Waiter = (failure: Failure, attempt: number) => number | undefined

/** Makes the waiter of one job. */
export type Policy = () => Waiter

/** Four tries at once. */
export const noBackoff: Policy = () => () => 0

/** The client's own waits after each kind of failure, without chance; Retry-After to the letter. */
export const noJitter: Policy =
  () =>
  ({ busy, asked }, attempt) =>
    asked || (busy ? 5_000 : 1_000) * 2 ** (attempt - 1)

export const JITTERS = ['full', 'equal', 'decorrelated', 'least and full'] as const
export const USES = ['to the letter', 'and jitter', 'at least'] as const

/** A way to wait after 429. */
export interface Candidate {
  /** What chance picks from: 0 to b; b/2 to b; the first to 3 times the last wait; 5 s to 5 s and b. */
  readonly jitter: (typeof JITTERS)[number]
  /** b after the first try, in seconds. */
  readonly first: number
  /** What b is multiplied with from try to try. */
  readonly growth: number
  /** What Retry-After is: the wait; what jitter is added to; what jitter is added to unless that is less. */
  readonly use: (typeof USES)[number]
}

/** Each kind of jitter with each first wait and growth. */
export const CANDIDATES: readonly Candidate[] = JITTERS.flatMap((jitter) =>
  [1, 2, 5, 10, 20].flatMap((first) =>
    (jitter === 'decorrelated' ? [3] : [1, 2, 3]).map((growth) => ({
      jitter,
      first,
      growth,
      use: 'at least'
    }))
  )
)

/** The client's own, as a candidate. */
export const OURS: Candidate = { jitter: 'least and full', first: 5, growth: 2, use: 'at least' }

/** Waits as the candidate says after 429, and as the client does after any other fault. */
export function policyOf(candidate: Candidate): Policy {
  return () => {
    let last = candidate.first * 1000
    return ({ busy, asked }, attempt) => {
      if (!busy) return undefined
      const [low, high] = boundsOf(candidate, attempt, last)
      if (asked > 0 && candidate.use === 'to the letter') return asked
      const least = asked > 0 && candidate.use === 'and jitter' ? asked : Math.max(asked, low)
      last = least + Math.random() * (high - low)
      return last
    }
  }
}

const LEAST_MS = 5_000
const LONGEST_MS = 30_000

function boundsOf({ jitter, first, growth }: Candidate, attempt: number, last: number): [number, number] {
  const bound = first * 1000 * growth ** (attempt - 1)
  switch (jitter) {
    case 'full':
      return [0, bound]
    case 'equal':
      return [bound / 2, bound]
    case 'decorrelated':
      return [first * 1000, Math.min(LONGEST_MS, last * 3)]
    case 'least and full':
      return [LEAST_MS, LEAST_MS + bound]
  }
}
