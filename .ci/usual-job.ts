// A plain login and its cleanup, as most jobs have them, for the build to watch (eager.mjs). The folder that is named is
// where Node is to write down which functions ran.
import { makeRecordingDocker } from '../test/support/recording-docker.ts'
import { startJob } from '../test/support/runner.ts'

const [, , folder] = process.argv
const stderr = 'WARNING! Your credentials are stored unencrypted.\n'
const docker = makeRecordingDocker([{ stderr }])
const job = await startJob({ docker: docker.directory, env: { NODE_V8_COVERAGE: folder } })
try {
  const steps = [
    await job.main({ 'api-key': 'an-api-key-of-the-build', region: 'us-south' }),
    await job.post()
  ]
  for (const { exitCode, errors, warnings, stderr } of steps) {
    if (exitCode !== 0) throw new Error([...errors, ...warnings, stderr].join('\n'))
  }
} finally {
  job.close()
  docker.close()
}
