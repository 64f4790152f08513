/** What the layers below the phases can mask, log and wait for; `login` and `cleanup` hand it down. */
export interface Context {
  /** Hides a secret from the log, from now on. */
  mask(secret: string): void
  /** Writes one line to the log. */
  info(line: string): void
  /** Writes one warning, which GitHub shows beside the run. */
  warning(line: string): void
  /** Milliseconds since 1970. */
  now(): number
  /** Waits for some milliseconds. */
  sleep(milliseconds: number): Promise<void>
  /**
   * Called before each request that mints and, under the lock, before each write of config.json: a main that was
   * cancelled can outlive its own post step.
   * @throws UserError where the job's post step has begun
   */
  checkActive(): void
  /** When the work on the network must be over, in milliseconds since 1970: the input `timeout`. */
  readonly deadline: number
  /** Failed requests are retried until the deadline, however often: cleanup has no second chance. */
  readonly untilDeadline?: boolean
}

/** The milliseconds that are left of the budget, never negative. */
export function timeLeft(context: Context): number {
  return Math.max(0, context.deadline - context.now())
}

/** A random share of `milliseconds`: "full jitter", so that jobs that failed together don't come back together. */
export function jitter(milliseconds: number): number {
  return Math.random() * milliseconds
}
