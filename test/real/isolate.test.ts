// isolate: true with the real programs that a directory of the job's own could have led astray: what the user has set
// up before the job works in it, beside the job's login, and is untouched after it.
import { describe, expect, test } from '@jest/globals'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { READER_KEY, WRITER_KEY } from '../cloud/default-world.ts'
import { runChild, type ChildResult } from '../support/child.ts'
import { needProgram } from '../support/programs.ts'
import type { Job } from '../support/runner.ts'
import { mustSucceed, type Place } from './clients.ts'
import { useServices } from './services.ts'
import { end, useJobs } from './jobs.ts'
import { makePasswordStore } from './password-store.ts'
import { clientOf, expectPull, expectRefusal, makeImage, publish, type Made } from './client-checks.ts'

const services = useServices()
const { newJob, newHome, later, logIn } = useJobs(services)

const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** docker as the user of this home calls it, outside of any job. */
function dockerOf(home: string, ...args: string[]): Promise<ChildResult> {
  return runChild(needProgram('docker'), args, { env: { PATH: path, HOME: home } })
}

/** docker as a later step of the job calls it. */
function dockerIn(job: Job, ...args: string[]): Promise<ChildResult> {
  return runChild(needProgram('docker'), args, { cwd: job.workspace, env: job.env })
}

async function outputOf(result: Promise<ChildResult>): Promise<string> {
  mustSucceed(await result)
  return (await result).stdout.trim()
}

const isolated = { 'api-key': WRITER_KEY, isolate: 'true' }

/** Where the clients of the job's later steps look. */
function placeOf(job: Job): Place {
  const { DOCKER_CONFIG: dockerConfig = '', REGISTRY_AUTH_FILE: authFile = '' } = job.env
  expect(dockerConfig.startsWith(job.temp)).toBe(true)
  return { home: job.home, dockerConfig, ...(authFile === '' ? {} : { authFile }) }
}

/** A home with a docker folder and this config.json. */
function homeWith(config: object): string {
  const home = newHome()
  mkdirSync(join(home, '.docker'), { mode: 0o700 })
  writeFileSync(join(home, '.docker/config.json'), JSON.stringify(config), { mode: 0o600 })
  return home
}

/** Another registry, with an image that only a login there can pull. */
async function publishElsewhere(): Promise<Made & { host: string }> {
  const { host } = await services().addRegistry({ region: 'eu-de' })
  const skopeo = clientOf(services(), 'skopeo')
  const { text } = await makeImage(services(), skopeo)
  const image = `${host}/team/app:elsewhere`
  const place = { home: newHome() }
  await skopeo.make(image, text)
  mustSucceed(await clientOf(services(), 'docker').login(place, host, 'iamapikey', WRITER_KEY))
  mustSucceed(await skopeo.push(place, image))
  return { host, image, text }
}

describe('With isolate: true, real docker finds in the job', () => {
  /** A user with buildx as a plug-in, a context that leads to the daemon of the tests, and a builder in it. */
  async function makeUser(): Promise<string> {
    const home = homeWith({ auths: { 'x.invalid': {} } })
    mkdirSync(join(home, '.docker/cli-plugins'))
    cpSync(needProgram('buildx'), join(home, '.docker/cli-plugins/docker-buildx'))
    const endpoint = ['--docker', `host=${services().clients.dockerHost}`]
    mustSucceed(await dockerOf(home, 'context', 'create', 'mine', ...endpoint))
    mustSucceed(await dockerOf(home, 'context', 'use', 'mine'))
    const builder = ['--name', 'made-before', '--driver', 'docker-container']
    mustSucceed(await dockerOf(home, 'buildx', 'create', ...builder, 'mine'))
    return home
  }

  test('the context that is in use: it pulls and pushes with the daemon that the context leads to', async () => {
    const { image, text } = await publish(services())
    const job = await newJob({ home: await makeUser() })
    const before = job.snapshot()
    await logIn(job, isolated)
    placeOf(job)
    const inUse = ['context', 'ls', '--format', '{{if .Current}}{{.Name}}{{end}}']
    expect(await outputOf(dockerIn(job, ...inUse))).toBe('mine')
    mustSucceed(await dockerIn(job, 'pull', image))
    const docker = clientOf(services(), 'docker')
    expect((await docker.read(image)).includes(text)).toBe(true)
    mustSucceed(await dockerIn(job, 'push', (await makeImage(services(), docker)).image))
    await end(job)
    expect(job.snapshot()).toEqual(before)
    expect(job.snapshot(job.temp)).toEqual({})
    expectRefusal(await dockerOf(job.home, 'pull', image))
  })

  test('the plug-in and the builders, and builds from a private image; a builder that it makes is the user’s', async () => {
    const { image } = await publish(services())
    const job = await newJob({ home: await makeUser() })
    const builders = ['buildx', 'ls', '--format', '{{.Name}}']
    const before = withoutBuildx(job.snapshot())
    await logIn(job, isolated)
    const found = await outputOf(dockerIn(job, ...builders))
    expect(found).toBe(await outputOf(dockerOf(job.home, ...builders)))
    expect(found.split('\n')).toContain('made-before')
    expect(await outputOf(dockerIn(job, 'buildx', 'inspect', 'made-before'))).toMatch(/Endpoint: +mine/u)
    writeFileSync(join(job.workspace, 'Dockerfile'), `FROM ${image}\nCOPY Dockerfile /\n`)
    mustSucceed(await dockerIn(job, 'buildx', 'build', '--pull', '--push', '--tag', `${image}-built`, '.'))
    mustSucceed(await dockerIn(job, 'buildx', 'create', '--name', 'made-in-job', 'mine'))
    await end(job)
    expect((await outputOf(dockerOf(job.home, ...builders))).split('\n')).toContain('made-in-job')
    expect(withoutBuildx(job.snapshot())).toEqual(before)
    expect(job.snapshot(job.temp)).toEqual({})
  })
})

/** All but what buildx keeps of its builders and builds, which is the user's own. */
function withoutBuildx(files: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(files).filter(([name]) => !name.startsWith('.docker/buildx')))
}

describe('With isolate: true and REGISTRY_AUTH_FILE set', () => {
  test.each(['podman', 'buildah', 'skopeo'])(
    '%s finds the login that it made before, and the job’s',
    async (name) => {
      const client = clientOf(services(), name)
      const [ours, theirs] = [await publish(services()), await publishElsewhere()]
      const home = newHome()
      const authFile = join(newHome(), 'auth.json')
      mustSucceed(await client.login({ home, authFile }, theirs.host, 'iamapikey', READER_KEY))
      const kept = readFileSync(authFile, 'utf8')
      const job = await newJob({ home, env: { REGISTRY_AUTH_FILE: authFile } })
      await logIn(job, isolated)
      expect(placeOf(job).authFile).not.toBe(authFile)
      for (const { image, text } of [ours, theirs]) await expectPull(client, placeOf(job), image, text)
      await end(job)
      expect(job.env).toMatchObject({ REGISTRY_AUTH_FILE: authFile, DOCKER_CONFIG: '' })
      expect(readFileSync(authFile, 'utf8')).toBe(kept)
      expect(job.snapshot()).toEqual({})
      await expectPull(client, { home, authFile }, theirs.image, theirs.text)
      expectRefusal(await client.pull({ home, authFile }, ours.image))
    }
  )
})

describe('With isolate: true and a real password store for all logins', () => {
  test('docker pulls with what the store holds and with the job’s login, which the store never gets', async () => {
    const [ours, theirs] = [await publish(services()), await publishElsewhere()]
    const home = homeWith({ credsStore: 'pass', auths: { [theirs.host]: {} } })
    const store = await makePasswordStore(home)
    later(() => store.close())
    const login = { ServerURL: theirs.host, Username: 'iamapikey', Secret: READER_KEY }
    await store.call('store', JSON.stringify(login))
    const env = { DOCKER_HOST: services().clients.dockerHost }
    const job = await newJob({ home, path: store.path, env })
    const before = [job.snapshot(join(home, '.docker')), job.snapshot(join(home, '.password-store'))]
    await logIn(job, isolated)
    placeOf(job)
    for (const { image } of [ours, theirs]) mustSucceed(await dockerIn(job, 'pull', image))
    const held = JSON.stringify({ [theirs.host]: 'iamapikey' })
    expect((await store.call('list')).stdout.trim()).toBe(held)
    await end(job)
    expect((await store.call('list')).stdout.trim()).toBe(held)
    expect(JSON.parse((await store.call('get', theirs.host)).stdout)).toEqual(login)
    expect([job.snapshot(join(home, '.docker')), job.snapshot(join(home, '.password-store'))]).toEqual(before)
    mustSucceed(await dockerIn(job, 'pull', theirs.image))
    expectRefusal(await dockerIn(job, 'pull', ours.image))
  })
})
