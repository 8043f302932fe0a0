import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Whether another process holds the engine's lock on the folder. The engine refuses a locked folder but gives the
 * reason on standard error only, so this reads the kernel's list of flocks by inode. Without /proc the result is false:
 * the start still fails, only with a more general error code.
 */
export function isLocked(folder: string): boolean {
  try {
    const { ino } = statSync(join(folder, 'status'))
    return readFileSync('/proc/locks', 'utf8')
      .split('\n')
      .some((line) => line.includes(' FLOCK ') && line.includes(`:${ino} `))
  } catch {
    return false
  }
}
