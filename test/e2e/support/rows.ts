// Many cells of a table as one test: a few at a time, and every failure of theirs in one list.

/** Each cell that failed, with its name; an empty list is what is promised. */
export async function runCells<T>(
  cells: readonly (readonly [name: string, cell: T])[],
  run: (cell: T) => Promise<void>,
  atOnce = 6
): Promise<string[]> {
  const waiting = [...cells]
  const failures: string[] = []
  const row = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [name, cell] = next
      try {
        await run(cell)
      } catch (error) {
        failures.push(`${name}: ${readable(error)}`)
      }
    }
  }
  await Promise.all(Array.from({ length: atOnce }, row))
  return failures
}

/** What was thrown, without the masks that a failed step has printed. */
function readable(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text.replaceAll(/^::add-mask::.*\n/gmu, '')
}
