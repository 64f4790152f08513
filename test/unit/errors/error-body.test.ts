// What a registry's error body says.
import { expect, test } from '@jest/globals'
import { parseErrors } from '../../../src/errors/known-messages.ts'

test.each([
  ['{"errors":[{"code":"UNAUTHORIZED","message":"no"}]}', 'UNAUTHORIZED: no'],
  ['{"errors":[{"code":"A","message":"b"},{"code":"C","message":"d"}]}', 'A: b; C: d'],
  ['{"errors":[{"code":"A"},{"message":"d"}]}', 'A; d'],
  ['{"errors":[null,"A",{"code":"C","message":7}]}', 'C'],
  ['{"errors":[]}', ''],
  ['{"errors":"x","code":"CRG0014E","message":"m"}', 'CRG0014E: m'],
  ['{"code":"CRG0014E","message":"m"}', 'CRG0014E: m'],
  ['{}', ''],
  ['[{"code":"A"}]', ''],
  ['<html>', ''],
  ['', '']
])('%s says %j', (body, said) => {
  expect(parseErrors(body)).toBe(said)
})
