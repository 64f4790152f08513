// Mutation testing of pure functions: `npm run mutation`, or `npm run mutation -- --mutate src/registry/scope.ts` for one file.
const files = [
  'credential/credential',
  'docker/config/ledger',
  'errors/known-messages',
  'errors/user-error',
  'json',
  'mint/inputs',
  'registry/challenge',
  'registry/hints',
  'registry/hosts',
  'registry/scope',
  'runner/values'
]

export default {
  testRunner: 'jest',
  testRunnerNodeArgs: ['--experimental-vm-modules', '--no-warnings'],
  jest: {
    config: {
      testMatch: [
        ...files.map((file) => `<rootDir>/test/unit/${file}.test.ts`),
        '<rootDir>/test/docs/troubleshooting.test.ts'
      ],
      setupFiles: ['<rootDir>/test/coverage/short-properties.mjs']
    }
  },
  mutate: files.map((file) => `src/${file}.ts`),
  ignorePatterns: ['/coverage', '/dist'],
  coverageAnalysis: 'perTest',
  concurrency: 2,
  // On a busy machine a slow run is no loop without end.
  timeoutMS: 15_000,
  incremental: true,
  incrementalFile: 'coverage/mutation.json',
  tempDirName: 'coverage/.stryker-tmp',
  reporters: ['clear-text', 'progress'],
  clearTextReporter: { logTests: false },
  thresholds: { high: 90, low: 90, break: 90 }
}
