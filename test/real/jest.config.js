import base from '../../jest.config.js'

export default {
  ...base,
  rootDir: '../..',
  roots: ['<rootDir>/test/real'],
  testPathIgnorePatterns: ['/node_modules/'],
  reporters: ['default'],
  // A daemon starts, images are pushed and pulled: seconds, and more where the disk is slow.
  testTimeout: 180000
}
