// Chance that comes out the same for the same seed.

/** Numbers from 0 to below 1, as Math.random gives them: a xorshift generator of 32 bits. */
export function createChance(seed: number): () => number {
  let state = Math.imul(seed, 0x9e3779b1) | 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}

/** Does some work with `chance` in the place of Math.random, which the client's jitter is drawn from. */
export async function withChance<T>(chance: () => number, work: () => Promise<T>): Promise<T> {
  const { random } = Math
  Math.random = chance
  try {
    return await work()
  } finally {
    Math.random = random
  }
}
