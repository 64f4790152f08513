// Time that passes only when every job waits: a minute of two thousand jobs is over in a moment.
import { setImmediate } from 'node:timers/promises'

interface Sleeper {
  readonly until: number
  readonly wake: () => void
}

export interface Clock {
  /** Milliseconds since the simulation began. */
  now(): number
  /** Settles when that many milliseconds of this clock have passed. */
  sleep(milliseconds: number): Promise<void>
  /** Wakes the sleepers one by one, in the order of their times, until nobody sleeps any more. */
  run(): Promise<void>
}

export function createClock(): Clock {
  // The next one to wake is the last of them.
  const sleepers: Sleeper[] = []
  let now = 0
  return {
    now: () => now,
    sleep: (milliseconds) =>
      new Promise((wake) => {
        const until = now + milliseconds
        sleepers.splice(placeFor(until, sleepers), 0, { until, wake })
      }),
    run: async () => {
      for (let next = sleepers.pop(); next !== undefined; next = sleepers.pop()) {
        now = next.until
        next.wake()
        // Node gets here when whoever was woken sleeps again, or has ended.
        await setImmediate()
      }
    }
  }
}

/** Among sleepers that are sorted, the latest first: before all that wake at the same time or earlier. */
function placeFor(until: number, sleepers: readonly Sleeper[]): number {
  let [low, high] = [0, sleepers.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sleepers[middle]?.until ?? 0) > until) low = middle + 1
    else high = middle
  }
  return low
}
