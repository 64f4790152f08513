// Mutation testing of the pure rooms: `npm run mutation`, or `npm run mutation -- --mutate src/scope.ts` for one.
const rooms = [
  'challenge',
  'credential',
  'diagnosis',
  'environment',
  'errors',
  'input-values',
  'json',
  'json-edit',
  'ledger',
  'mint-inputs',
  'registry-error',
  'registry-hint',
  'registry-host',
  'scope'
]

export default {
  testRunner: 'jest',
  testRunnerNodeArgs: ['--experimental-vm-modules', '--no-warnings'],
  jest: {
    config: {
      testMatch: [...rooms, 'troubleshooting'].map((room) => `<rootDir>/test/unit/${room}.test.ts`),
      setupFiles: ['<rootDir>/test/coverage/short-properties.mjs']
    }
  },
  mutate: rooms.map((room) => `src/${room}.ts`),
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
