// A secret may be any text: it is logged in with exactly as it is, or refused by its name, and never anything between.
import { expect, test } from '@jest/globals'
import { randomBytes } from 'node:crypto'
import { WRITER_ID } from '../cloud/default-world.ts'
import { findUnmasked } from '../support/leak-scan.ts'
import { makeSecret } from '../support/secrets.ts'
import { expectFailure, expectSuccess } from './support/promises.ts'
import { authOf, testBothWays, useStage, type Way } from './support/stage.ts'

const stage = useStage()

const long = (length: number): string => randomBytes(length).toString('base64url').slice(0, length)

/** Secrets that log in as they are. */
const odd: [string, string][] = [
  ['12 characters', 'aB3$eF6^hI9)'],
  ['44 characters', long(44)],
  ['2,560 characters', long(2_560)],
  ['4,096 characters', long(4_096)],
  ['4,096 characters of two bytes each', 'éñ'.repeat(2_048)],
  ['double quotes inside', 'ab"cd""ef"gh-ij'],
  ['single quotes inside', "ab'cd''ef'gh-ij"],
  ['one quote before it', '"abcdefghijkl'],
  ['different quotes around it', `"abcdefghijkl'`],
  ['dollars', '$HOME${PATH}$(id)$$abc'],
  ['percent signs', '%0A%0D%25%s%n%00%%abc'],
  ['backslashes', '\\n\\\\r\\u0041\\abcdef\\'],
  ['blanks inside', 'one two  three   four'],
  ['wide blanks inside', 'one\u00a0two\u3000three\u2003four'],
  ['letters beyond ASCII', 'pässwörd-ключ-鍵-🗝️-é'],
  ['marks that join', 'e\u0301a\u0308\u200d\u200bxyz-abcdef'],
  ['letters from right to left', 'אבגדהוזחט-abc-\u202eabc'],
  ['colons', ':a:b::c:d:::efgh:'],
  ['a dash before it', '-abcdefghijkl'],
  ['an option of docker', '--password=abcdefghijkl'],
  ['a user name before it', 'iamapikey:abcdefghijkl'],
  ['a bracket before it', '[abcdefghijkl]'],
  ['a brace inside', 'abc{def}ghi{{jkl}}'],
  ['commands of the runner inside', 'a::error::b##[add-mask]c-d'],
  ['a command of the runner’s', '::add-mask::abcdefgh'],
  ['a delimiter of the runner', 'x<<ghadelimiter_abc=def'],
  ['equals signs', '==abcdefghijkl=='],
  ['what a shell would take', '`id`;id|id&&id>x<y*?~!#'],
  ['what XML would take', '<a b="c">&amp;</a><![CDATA[x]]>'],
  ['what a URL would take', 'https://user:pw@host/p?q=1&r=2#f'],
  ['what base64 looks like', authOf('iamapikey', 'abcdefghijkl')],
  ['digits alone', '123456789012345678901234567890'],
  ['true', 'truetruetruetrue'],
  ['three segments with dots', 'abc.def.ghi.jkl'],
  ['Bearer at its end', 'abcdefghijkl Bearer']
]

async function logIn(docker: Way, value: string): Promise<void> {
  const { world, registryHost: host } = stage.cloud
  world.addApiKey({ iamId: world.identity(WRITER_ID)?.iamId ?? '', value })
  const job = await stage.newJob({ docker })
  const before = job.snapshot()
  const main = await job.main(stage.here({ 'api-key': value }))
  expectSuccess(main)
  // The registry knows the key by its very characters: it has taken what was given.
  expect(stage.cloud.requests.at(-1)).toMatchObject({ service: 'registry', path: '/v2/', status: 200 })
  const entry = job.dockerConfig()?.auths?.[host]
  expect(entry).toEqual({ auth: authOf('iamapikey', value) })
  expect(Buffer.from(String(entry?.['auth']), 'base64').toString()).toBe(`iamapikey:${value}`)
  expect(findUnmasked(main, [makeSecret('it', value)], ['it'])).toEqual([])
  expect(main.masks).toContain(value)
  expectSuccess(await job.post())
  expect(job.snapshot()).toEqual(before)
}

for (const [name, value] of odd) {
  testBothWays(`A secret of ${name} is logged in with exactly as it is`, (docker) => logIn(docker, value))
}

const mended: [string, (value: string) => string][] = [
  ['line ends around it', (value) => `\n${value}\r\n`],
  ['blanks of every kind around it', (value) => ` \t\u00a0\u3000\ufeff${value}\u2003\v\f `],
  ['quotes around it', (value) => `"${value}"`]
]
for (const [name, paste] of mended) {
  testBothWays(`An odd secret with ${name} is logged in with as it is without them`, async (docker) => {
    const value = 'o"dd $e\\cr%t-ключ::{}'
    const { world, registryHost: host } = stage.cloud
    world.addApiKey({ iamId: world.identity(WRITER_ID)?.iamId ?? '', value })
    const job = await stage.newJob({ docker })
    expectSuccess(await job.main(stage.here({ 'api-key': paste(value) })))
    expect(job.dockerConfig()?.auths?.[host]).toEqual({ auth: authOf('iamapikey', value) })
  })
}

const refused: [string, string, RegExp][] = [
  ['a line end inside', 'abcdef\nghijkl', /^api-key has a line break inside/u],
  ['a carriage return inside', 'abcdef\rghijkl', /^api-key has a line break inside/u],
  ['a tab inside', 'abcdef\tghijkl', /^api-key has a control character inside/u],
  ['an escape inside', 'abcdef\u001b[31mghijkl', /^api-key has a control character inside/u],
  ['a next line inside', 'abcdef\u0085ghijkl', /^api-key has a control character inside/u],
  ['a line separator inside', 'abcdef\u2028ghijkl', /^api-key has a control character inside/u],
  ['a paragraph separator inside', 'abcdef\u2029ghijkl', /^api-key has a control character inside/u],
  ['a delete inside', 'abcdef\u007fghijkl', /^api-key has a control character inside/u],
  ['a brace before it', '{abcdefghijkl', /^api-key holds JSON/u],
  ['the shape of a token', `eyJhbGciOiJub25lIn0.e30.abcdefgh`, /^api-key holds a token/u]
]
test.each(refused)(
  'A secret with %s is refused by its name, and nothing is sent',
  async (_, value, words) => {
    const docker = stage.newDocker()
    const job = await stage.newJob({ docker: docker.directory })
    const main = await job.main(stage.here({ 'api-key': value }))
    expectFailure(main, words, value)
    expect(docker.calls()).toEqual([])
    expect(stage.cloud.requests).toEqual([])
    expect(job.snapshot()).toEqual({})
  }
)
