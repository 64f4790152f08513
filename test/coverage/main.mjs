// src/main.ts, measured. Node has read where to write by now, and what src starts gets the environment of any job.
delete process.env.NODE_V8_COVERAGE
await import('../../coverage/raw/src/main.js')
