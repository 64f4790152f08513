// A program that asks one address with the action's own door to the network, for what only a new process can show:
// variables that Node reads when it starts. Prints what came of it as JSON.
import { fetchReply } from '../../../src/http/retry.ts'
import { makeContext } from './context.ts'

const context = makeContext({ budgetMs: 10_000 })
const url = new URL(process.argv[2] ?? '')
const headers = { authorization: `Basic ${btoa('iamapikey:the-secret')}` }
const outcome = await fetchReply(
  { method: 'GET', url, headers },
  ({ status }) => String(status),
  context
).catch((error: unknown) => (error as Error).message)
console.log(JSON.stringify({ outcome, masks: context.masks, infos: context.infos }))
