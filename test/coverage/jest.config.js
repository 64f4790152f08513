import all from '../jest.all.config.js'

// Node has read by now where to write what this process covers. What the tests start gets the environment of any run;
// what runs src is told by test/support/measured.ts.
delete process.env.NODE_V8_COVERAGE

export default {
  ...all,
  rootDir: '../..',
  transform: { '\\.ts$': '<rootDir>/test/coverage/strip-types.mjs' }
}
