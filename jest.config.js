import { longPatterns } from './test/long.mjs'

export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/test', '<rootDir>/bench'],
  testMatch: ['**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', '/test/real/', ...longPatterns],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'es6' } }
    ]
  },
  reporters: ['default', '<rootDir>/test/long.mjs'],
  // jest leaves a core idle; these tests mostly wait for the processes that they start.
  maxWorkers: '100%',
  testTimeout: 30000
}
