import usual from '../jest.config.js'

/** `npm run test:all`: the long tests too. */
export default {
  ...usual,
  rootDir: '..',
  testPathIgnorePatterns: ['/node_modules/', '/test/real/'],
  reporters: ['default']
}
