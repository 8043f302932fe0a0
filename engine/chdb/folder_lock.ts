import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Whether another process holds the engine's lock on the folder. The engine refuses a locked folder itself, but tells
 * only its standard error why; so the question is address again of the kernel, which lists flocks by inode. (Where
 * there is no /proc the answer is no: the start has failed all the same, only under a more general code.)
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
