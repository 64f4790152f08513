// Stands in for actions that can't be had without a network.
import { cpSync, globSync, mkdirSync } from 'node:fs'
import { basename, join } from 'node:path'

const { GITHUB_ACTION_REPOSITORY, GITHUB_WORKSPACE, ICR_LOGIN_ARTIFACTS, INPUT_NAME, INPUT_PATH } =
  process.env
const kept = join(ICR_LOGIN_ARTIFACTS, INPUT_NAME ?? '')

if (GITHUB_ACTION_REPOSITORY === 'actions/upload-artifact') {
  mkdirSync(kept, { recursive: true })
  const patterns = INPUT_PATH.split('\n').filter((line) => line !== '')
  for (const file of globSync(patterns, { cwd: GITHUB_WORKSPACE })) {
    cpSync(join(GITHUB_WORKSPACE, file), join(kept, basename(file)))
  }
}
if (GITHUB_ACTION_REPOSITORY === 'actions/download-artifact') {
  cpSync(kept, join(GITHUB_WORKSPACE, INPUT_PATH), { recursive: true })
}
