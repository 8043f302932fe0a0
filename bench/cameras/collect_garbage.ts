import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Memory after a collection, bytes. */
export interface Left {
  /** Objects and strings of JavaScript, and buffers. */
  heap: number
  /** Resident memory of the process: with what the collection freed and the allocators keep. */
  resident: number
}

export function collectGarbage(): Left {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  // What the first one frees may have kept other things.
  for (let n = 0; n < 3; n++) collect()
  const { heapUsed, external, rss } = process.memoryUsage()
  return { heap: heapUsed + external, resident: rss }
}
