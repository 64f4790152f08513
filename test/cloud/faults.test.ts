// What can be made to go wrong in the stand-in.
import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { startCloud } from './cloud.ts'
import type { Cloud } from './cloud.ts'
import { delayFault, hangFault, resetFault, statusFault } from './faults.ts'

let cloud: Cloud

beforeEach(async () => {
  cloud = await startCloud()
})

afterEach(() => cloud.close())

const ping = async (): Promise<number> => (await fetch(`http://${cloud.registryHost}/v2/`)).status

it('a status comes in place of the answer, as often as it was ordered', async () => {
  cloud.faults.push({
    service: 'registry',
    path: '/v2/',
    times: 2,
    fault: statusFault(503, { 'Retry-After': '1' })
  })
  expect([await ping(), await ping(), await ping()]).toEqual([503, 503, 401])
})

it('a fault is for its own service, method and path only', async () => {
  cloud.faults.push({ service: 'iam', fault: statusFault(500) })
  cloud.faults.push({ service: 'registry', method: 'POST', fault: statusFault(501) })
  cloud.faults.push({ service: 'registry', path: /^\/oauth/, fault: statusFault(502) })
  expect(await ping()).toBe(401)
  expect((await fetch(`${cloud.iamUrl}/identity/keys`)).status).toBe(500)
  expect((await fetch(`http://${cloud.registryHost}/oauth/token`)).status).toBe(502)
})

it('a reset ends the connection without an answer', async () => {
  cloud.faults.push({ service: 'registry', times: 1, fault: resetFault() })
  await expect(ping()).rejects.toMatchObject({ cause: { code: 'ECONNRESET' } })
  expect(cloud.requests.map(({ status }) => status)).toEqual([undefined])
})

it('a hang lasts until the cloud is closed', async () => {
  cloud.faults.push({ service: 'registry', fault: hangFault() })
  const asked = ping()
  await new Promise((resolve) => setTimeout(resolve, 100))
  await Promise.all([expect(asked).rejects.toThrow(), cloud.close()])
})

it('a delay comes before the true answer', async () => {
  cloud.faults.push({ service: 'registry', fault: delayFault(150) })
  const start = Date.now()
  expect(await ping()).toBe(401)
  expect(Date.now() - start).toBeGreaterThanOrEqual(145)
})

it('a fault may let the service do its work and lose the answer', async () => {
  const body = new URLSearchParams({ grant_type: 'urn:ibm:params:oauth:grant-type:apikey', apikey: 'x' })
  let status: number | undefined
  cloud.faults.push({
    service: 'iam',
    fault: async ({ socket, answer }) => {
      status = (await answer()).status
      socket.destroy()
      return undefined
    }
  })
  await expect(fetch(`${cloud.iamUrl}/identity/token`, { method: 'POST', body })).rejects.toThrow()
  expect(status).toBe(400)
})
