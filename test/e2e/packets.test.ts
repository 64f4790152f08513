// What a login costs on the network beside docker's own requests: docker's stand-in sends none, so that all that
// arrives is the action's.
import { describe, expect, test } from '@jest/globals'
import { connectionsByHost, countAsked, ownRequests, PACKET_CASES } from './support/packets.ts'
import { expectSuccess } from './support/promises.ts'
import { useStage } from './support/stage.ts'

const stage = useStage({ registry: { registryTokens: true } })

describe.each(PACKET_CASES)('$name', ({ inputs, hosts, main, post }) => {
  test(`asks IAM ${main.iam} and registries ${main.registry} times, and ${post.iam} and ${post.registry} after the job, over one connection to each`, async () => {
    for (let more = 1; more < hosts; more++) await stage.cloud.addRegistry({ registryTokens: true })
    const registry = stage.cloud.registries.map(({ host }) => host).join(' ')
    const job = await stage.newJob({ docker: stage.newDocker().directory })
    const proven = 'repositories' in inputs || !('mint' in inputs)

    expectSuccess(await job.main(stage.here({ ...inputs, registry })), proven ? [] : ['not proven'])
    const asked = stage.cloud.requests.splice(0)
    expectSuccess(await job.post())
    const askedAfter = stage.cloud.requests.splice(0)

    expect(ownRequests([...asked, ...askedAfter])).toHaveLength(asked.length + askedAfter.length)
    expect([countAsked(asked), countAsked(askedAfter)]).toEqual([main, post])
    for (const phase of [asked, askedAfter])
      expect(connectionsByHost(phase).filter((connections) => connections > 1)).toEqual([])
  })
})
