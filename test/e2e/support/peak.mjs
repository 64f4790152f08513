// Imported by a node that a test starts: as it ends, writes the most memory that it had, in KiB, to PEAK_FILE.
import { writeFileSync } from 'node:fs'

process.on('exit', () => {
  writeFileSync(process.env.PEAK_FILE, String(process.resourceUsage().maxRSS))
})
