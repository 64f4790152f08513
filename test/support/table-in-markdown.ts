// The tables that the docs show.

/** The cells of the first table under a heading, row by row, its head among them, without the code marks. */
export function tableWithHead(text: string, heading: string): string[][] {
  const [, after = ''] = text.split(`\n## ${heading}\n`)
  const [table = ''] = /^\|[^]*?\n(?!\|)/m.exec(after) ?? []
  const [head = '', , ...rows] = table.trim().split('\n')
  return [head, ...rows].map((row) =>
    row
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.replaceAll('`', '').trim())
  )
}
