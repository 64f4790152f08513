// Who a job is, with a trusted profile beside the secret.
import { expect, test } from '@jest/globals'
import { SECRET_KINDS } from '../../../src/credential/credential.ts'
import { type Identity, withProfile } from '../../../src/credential/identity.ts'
import { userError } from '../support/throwing.ts'

const BY_ID = { by: 'id', value: 'Profile-9c4d' } as const

test('an API key goes with a profile that is named by its ID', () => {
  const given: Identity = { kind: 'api-key', secret: 'k' }
  expect(withProfile(given, BY_ID)).toEqual({ kind: 'api-key', secret: 'k', profile: BY_ID })
})

test('an identity without a secret has its profile already', () => {
  const given: Identity = { kind: 'keyless', profile: BY_ID }
  expect(withProfile(given, { by: 'name', value: 'ci' })).toBe(given)
})

test.each([
  ['crn', 'a CRN'],
  ['name', 'a name']
] as const)('a profile that is named by its %s is asked for by its ID', async (by, what) => {
  const work = (): unknown => withProfile({ kind: 'api-key', secret: 'k' }, { by, value: 'x' })
  expect(await userError(work)).toContain(`trusted-profile holds ${what}, and the login needs the ID.`)
})

test.each(SECRET_KINDS.filter((kind) => kind !== 'api-key'))(
  'a profile does not go with %s, and the way out is named',
  async (kind) => {
    const unless = kind === 'access-token' ? ', unless mint: iam-token assumes it' : ''
    expect(await userError(() => withProfile({ kind, secret: 's' }, BY_ID))).toBe(
      `trusted-profile does not go with ${kind}${unless}.\n` +
        "Give it with the api-key of a service ID that the profile trusts, or alone on IBM Cloud's own machines."
    )
  }
)
