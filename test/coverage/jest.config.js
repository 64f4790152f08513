import usual from '../../jest.config.js'

export default {
  ...usual,
  rootDir: '../..',
  transform: { '\\.ts$': '<rootDir>/test/coverage/strip-types.mjs' }
}
