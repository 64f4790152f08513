// A program that logs in to a host and out again, so many times, as jobs that share a home do.
// Arguments: the directory of config.json, the host, how many times.
import { addLogins, removeLogins } from '../../../src/docker/config/user-config.ts'
import { makeContext } from './context.ts'

const [directory = '', host = '', times = '0'] = process.argv.slice(2)
for (let done = 0; done < Number(times); done++) {
  const loginId = `${host}-${process.pid}-${done}`
  const context = makeContext({ patient: true, budgetMs: 100_000 })
  const entry = { auth: Buffer.from(`user:${loginId}`).toString('base64') }
  await addLogins(directory, { loginId, job: loginId }, [{ host, entry }], context)
  const releases = await removeLogins(directory, loginId, context)
  if (releases[0]?.outcome !== 'removed') throw new Error(JSON.stringify(releases))
}
