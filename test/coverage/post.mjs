// As main.mjs.
delete process.env.NODE_V8_COVERAGE
await import('../../coverage/raw/src/post.js')
