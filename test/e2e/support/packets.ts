// How often each way of logging in asks IBM Cloud by itself, beside what docker sends: the table that
// packets.test.ts holds and that bench/ measures.
import { OPERATOR_KEY, PROFILE_ID, READER_ID, REPOSITORY, WRITER_KEY } from '../../cloud/default-world.ts'
import type { RecordedRequest } from '../../cloud/recorder.ts'
import type { Inputs } from '../../support/runner.ts'

/** Requests of one phase. */
export interface Asked {
  readonly iam: number
  /** All hosts together. */
  readonly registry: number
}

export interface PacketCase {
  readonly name: string
  readonly inputs: Inputs
  /** How many registry hosts are logged in to. */
  readonly hosts: number
  readonly main: Asked
  readonly post: Asked
}

const NONE: Asked = { iam: 0, registry: 0 }
const WRITER = { 'api-key': WRITER_KEY }
const PROFILE = { ...WRITER, 'trusted-profile': PROFILE_ID }
const OPERATOR = { 'api-key': OPERATOR_KEY }
const SERVICE_ID = { ...OPERATOR, 'service-id': READER_ID }

function asking(
  name: string,
  inputs: Inputs,
  [iam, registry, iamAfter = 0, registryAfter = 0]: [number, number, number?, number?],
  hosts = 1
): PacketCase {
  return {
    name,
    inputs,
    hosts,
    main: { iam, registry },
    post: { iam: iamAfter, registry: registryAfter }
  }
}

/** To prove what was minted is to ask twice more: the registry's challenge, and what it grants. */
export const PACKET_CASES: readonly PacketCase[] = [
  { name: 'none', inputs: WRITER, hosts: 1, main: NONE, post: NONE },
  asking('repository-token', { ...WRITER, mint: 'repository-token', repositories: REPOSITORY }, [0, 3]),
  asking('iam-token', { ...WRITER, mint: 'iam-token' }, [1, 0]),
  asking('iam-token, proven', { ...PROFILE, mint: 'iam-token', repositories: REPOSITORY }, [2, 2]),
  asking('iam-token of a trusted profile', { ...PROFILE, mint: 'iam-token' }, [2, 0]),
  asking('api-key', { ...SERVICE_ID, mint: 'api-key' }, [2, 4, 4, 0]),
  asking('api-key, proven', { ...SERVICE_ID, mint: 'api-key', repositories: REPOSITORY }, [2, 4, 4, 0]),
  asking('registry-token', { ...OPERATOR, mint: 'registry-token' }, [1, 1, 1, 2]),
  asking(
    'registry-token, proven',
    { ...OPERATOR, mint: 'registry-token', repositories: REPOSITORY },
    [1, 3, 1, 2]
  ),
  asking('none, ten hosts', WRITER, [0, 0], 10),
  asking('iam-token, ten hosts', { ...WRITER, mint: 'iam-token' }, [1, 0], 10),
  asking('api-key, ten hosts', { ...SERVICE_ID, mint: 'api-key' }, [2, 40, 4, 0], 10)
]

/** Of all requests, those that the action itself has sent. */
export function ownRequests(requests: readonly RecordedRequest[]): RecordedRequest[] {
  return requests.filter(({ headers }) => headers['user-agent'] === 'icr-login')
}

/** Counts requests by service. */
export function countAsked(requests: readonly RecordedRequest[]): Asked {
  const of = (wanted: string): number => requests.filter(({ service }) => service === wanted).length
  return { iam: of('iam'), registry: of('registry') }
}

/** How many connections each origin saw. */
export function connectionsByHost(requests: readonly RecordedRequest[]): number[] {
  const seen = new Map<string, Set<number>>()
  for (const { host, connection } of requests) seen.set(host, (seen.get(host) ?? new Set()).add(connection))
  return [...seen.values()].map(({ size }) => size)
}
