// The table that the action's choice of a proxy is tested with, held against Go's own httpproxy.
import { expect, test } from '@jest/globals'
import { runWell } from '../support/child.ts'
import { needProgram } from '../support/programs.ts'
import { PROXY_CASES } from '../unit/support/proxy-table.ts'

test('Go takes the same proxy as the action in each case', async () => {
  const chosen = JSON.parse(
    await runWell(needProgram('go-proxy'), [], { input: JSON.stringify(PROXY_CASES) })
  ) as string[]
  expect(PROXY_CASES.map((each, at) => ({ ...each, proxy: chosen[at] }))).toEqual(PROXY_CASES)
})
