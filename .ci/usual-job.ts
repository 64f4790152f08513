// A plain login and its cleanup, as most jobs have them, for the build to watch (eager.mjs): prints, as JSON, the scripts
// that ran.
import { makeRecordingDocker } from '../test/support/recording-docker.ts'
import { mustEndWell, startJob } from '../test/support/runner.ts'
import { watchScripts } from '../test/support/scripts.ts'

const warning = 'WARNING! Your credentials are stored unencrypted.\n'
const docker = makeRecordingDocker([{ stderr: warning }])
try {
  const scripts = await watchScripts(async (env) => {
    const job = await startJob({ docker: docker.directory, env })
    try {
      mustEndWell(await job.main({ 'api-key': 'an-api-key-of-the-build', region: 'us-south' }))
      mustEndWell(await job.post())
    } finally {
      job.close()
    }
  })
  console.log(JSON.stringify(scripts.filter(({ url }) => url.startsWith('file:'))))
} finally {
  docker.close()
}
