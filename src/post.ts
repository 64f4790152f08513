import { cleanUp } from './cleanup.ts'
import { messageOf } from './errors/user-error.ts'
import { warning } from './runner/log.ts'

cleanUp()
  .catch((error: unknown) => {
    warning(messageOf(error))
  })
  // The log is flushed first; what is open besides need not be waited for.
  .finally(() => process.stdout.write('', () => process.exit()))
