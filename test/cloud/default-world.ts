// What every test finds in place: one account; a service ID that may push, one that may only pull,
// a user; one who deploys, and may make keys for the first two; a trusted profile; and one image.
import { randomBytes } from 'node:crypto'
import { World } from './world.ts'
import { encodePart } from './jwt.ts'

export const ACCOUNT_ID = '4f0c1e9d7ab24c58b3d6a90e12f7c845'
export const WRITER_ID = 'ServiceId-1b7a4c02-53d8-4f6e-9a1c-7e20d9b36f51'
export const WRITER_KEY = 'Wr1tQm7vXk_2ZpLd9sHcNfYb4RgTjUe6aGo8iKxMq-0v'
export const READER_ID = 'ServiceId-6e90f3ad-28b1-47c5-8d3e-0c5a71f84b29'
export const READER_KEY = 'Rd3rBz5nEw-8YtKc1qJfVhXm6PaSgOi4uDl7kWyCr_2e'
/** Makes keys for the reader and the writer, and registry tokens; may itself only pull. */
export const OPERATOR_ID = 'ServiceId-a3f58b16-7d02-4c9e-b841-5e6f19c7d2a0'
export const OPERATOR_KEY = 'Op4rKs8bLx-1TnWd6vGzQcJm3HyReUf7aPi9oNkXt_5w'
export const USER_ID = 'IBMid-550008XQ2Z'
export const USER_KEY = 'Us9rCx2mGv_6HnPb3wLzTqDk8JfYaRe5oNs1iQhBt-7u'
export const PROFILE_ID = 'Profile-9c4d1f70-b6a2-4e83-a5f9-3d2e8b70c164'
export const PROFILE_NAME = 'ci-jobs'
export const PROFILE_CRN = `crn:v1:bluemix:public:iam-identity::a/${ACCOUNT_ID}::profile:${PROFILE_ID}`
export const REGION = 'us-south'
export const NAMESPACE = 'team'
export const REPOSITORY = `${NAMESPACE}/app`
export const TAGS = ['1.0', 'latest']

/** The pod whose token file a job would read, and the virtual server that asks its metadata service. */
export const POD_ID = 'crn:v1:bluemix:public:containers-kubernetes:us-south:::ci-pod'
export const SERVER_ID = 'crn:v1:bluemix:public:is:us-south-1:::ci-server'

export function defaultWorld(): World {
  const world = new World()
  world.addAccount({ id: ACCOUNT_ID })
  addKeyHolders(world)
  addRights(world)
  addKeyless(world)
  return world
}

/** Code Engine's page asks for Reader and Writer to push ("Registry authentication"). */
function addKeyHolders(world: World): void {
  const writer = world.addServiceId({ id: WRITER_ID, name: 'ci-push' })
  world.addPolicy({ iamId: writer.iamId, role: 'Reader' })
  world.addPolicy({ iamId: writer.iamId, role: 'Writer' })
  world.addApiKey({ iamId: writer.iamId, value: WRITER_KEY })
  const reader = world.addServiceId({ id: READER_ID, name: 'ci-pull' })
  world.addPolicy({ iamId: reader.iamId, role: 'Reader' })
  world.addApiKey({ iamId: reader.iamId, value: READER_KEY })
  const operator = world.addServiceId({ id: OPERATOR_ID, name: 'ci-deploy' })
  world.addPolicy({ iamId: operator.iamId, role: 'Reader' })
  world.addApiKey({ iamId: operator.iamId, value: OPERATOR_KEY })
  const user = world.addUser({ id: USER_ID })
  world.addPolicy({ iamId: user.iamId, role: 'Manager' })
  world.addApiKey({ iamId: user.iamId, value: USER_KEY })
}

/** A platform role on a service ID gives nothing in the registry, and the other way round ("API keys"). */
function addRights(world: World): void {
  world.addOperator(OPERATOR_ID, READER_ID)
  world.addOperator(OPERATOR_ID, WRITER_ID)
  world.addRegistryAdministrator(OPERATOR_ID)
  world.addRegistryAdministrator(USER_ID)
}

/** Anyone of the default world may become the profile, and as the profile may only pull. */
function addKeyless(world: World): void {
  const keyHolders = world.identities.map(({ iamId }) => iamId)
  const trusts = [POD_ID, SERVER_ID, ...keyHolders]
  const profile = world.addProfile({ id: PROFILE_ID, name: PROFILE_NAME, trusts })
  world.addPolicy({ iamId: profile.iamId, role: 'Reader' })
  world.addComputeResource({ id: POD_ID, token: clusterToken(world) })
  world.addComputeResource({ id: SERVER_ID, token: clusterToken(world), defaultProfileId: profile.id })
}

/** Looks like a Kubernetes service account's token: what IAM makes of it rests on its text alone. */
function clusterToken(world: World): string {
  const head = encodePart({ alg: 'RS256', kid: 'cluster' })
  const claims = encodePart({ aud: ['vault'], sub: 'system:serviceaccount:ci:jobs', exp: world.now() + 7200 })
  return `${head}.${claims}.${randomBytes(256).toString('base64url')}`
}
