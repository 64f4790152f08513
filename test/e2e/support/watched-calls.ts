// For what is preloaded into a step: sees the calls that it makes to the file system.

type Call = (...given: unknown[]) => unknown

let within = false

/**
 * Has `watch` see each call from outside; what a call is made of inside counts as one with it, and to open a file for
 * reading is no change. Sync the exports of the built-in modules after.
 * @param module node:fs or node:fs/promises
 * @param names of its functions
 * @param watch returns what the call returns
 */
export function watchCalls(
  module: object,
  names: readonly string[],
  watch: (call: () => unknown, name: string, file: string) => unknown
): void {
  const calls = module as Record<string, Call | undefined>
  for (const name of names) {
    const real = calls[name]
    calls[name] = (...given) => {
      if (within || (name.startsWith('open') && !/[wa]/.test(String(given[1])))) return real?.(...given)
      within = true
      try {
        return watch(() => real?.(...given), name, String(given[0]))
      } finally {
        within = false
      }
    }
  }
}
