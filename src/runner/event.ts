import { readJsonFile } from '../docker/overrides.ts'
import { isObject, stringAt } from '../json.ts'

/**
 * Why a job was passed no secrets, where GitHub tells: docs.github.com, "Using secrets in GitHub Actions", says that
 * workflows of forks get none, and that Dependabot's jobs have a store of their own.
 */
export function explainMissingSecrets(env: NodeJS.ProcessEnv): string | undefined {
  if (env['GITHUB_ACTOR'] === 'dependabot[bot]')
    return (
      'GitHub passes no Actions secrets to jobs that Dependabot started. ' +
      'Add the secret once more: Settings, Secrets and variables, Dependabot.'
    )
  // pull_request_target runs in the base repository, and is passed its secrets.
  if (env['GITHUB_EVENT_NAME'] === 'pull_request_target' || !isFromFork(env['GITHUB_EVENT_PATH']))
    return undefined
  return (
    'GitHub passes no secrets to jobs of pull requests from forks. Keep the secret under Settings, Secrets and ' +
    'variables, Actions, and skip the step there: if: github.event.pull_request.head.repo.full_name == github.repository'
  )
}

/** Whether the event that started the job is of a pull request whose head is in another repository. */
function isFromFork(eventPath = ''): boolean {
  const pullRequest = readJsonFile(eventPath)?.['pull_request']
  if (!isObject(pullRequest)) return false
  const head = nameOf(pullRequest['head'])
  // Without a name the fork has been deleted since.
  return head === undefined || head !== nameOf(pullRequest['base'])
}

function nameOf(side: unknown): string | undefined {
  return isObject(side) && isObject(side['repo']) ? stringAt(side['repo'], 'full_name') : undefined
}
