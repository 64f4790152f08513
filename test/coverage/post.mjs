// As main.mjs.
delete process.env.NODE_V8_COVERAGE
await import('../../src/post.ts')
