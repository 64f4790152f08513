// Runs things in turn, so that what else the machine does falls on all of them alike.

/** What `times` runs of one thing came to: the median, and half of all runs between the quartiles. */
export interface Spread {
  readonly median: number
  readonly lower: number
  readonly upper: number
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] ?? NaN
  return { median: at(0.5), lower: at(0.25), upper: at(0.75) }
}

/** `1.23 (1.20–1.31)`. */
export function formatSpread({ median, lower, upper }: Spread, digits = 2): string {
  return `${median.toFixed(digits)} (${lower.toFixed(digits)}–${upper.toFixed(digits)})`
}

/**
 * Runs each of some things once in each round, after one round that does not count.
 * @param run returns what is measured, in any unit
 * @returns for each thing its values, in the order of the rounds
 */
export async function interleave<Thing>(
  things: readonly Thing[],
  rounds: number,
  run: (thing: Thing) => Promise<number>
): Promise<Map<Thing, readonly number[]>> {
  const values = new Map<Thing, number[]>(things.map((thing) => [thing, []]))
  for (let round = 0; round <= rounds; round++) {
    for (const thing of things) {
      const value = await run(thing)
      if (round > 0) values.get(thing)?.push(value)
    }
  }
  return values
}

/** What one series comes to as a share of another, round by round. */
export function ratioOf(values: readonly number[] = [], base: readonly number[] = []): Spread {
  return spreadOf(values.map((value, round) => value / (base[round] ?? NaN)))
}
