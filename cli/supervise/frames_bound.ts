import { readdirSync, statfsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { dataPaths, type Settings } from '../../engine/mod.js'

/** Share of the disk that frames which wait may use: a full disk stops all of JetStream. */
const kShare = 0.6
const kLeast = 16_777_216

/**
 * Bytes that frames which wait may use: the setting, or less on a small disk. What they use now counts as free, so that
 * a restart on a full disk does not lower the bound. (A setup never lowers the bound of a stream that exists, see
 * `engine/nats/setup.ts`.)
 */
export function framesBound(settings: Settings): { bytes: number; free: number } {
  const wanted = settings.nats.framesMaxBytes
  if (settings.nats.url) return { bytes: wanted, free: Infinity }
  const { bavail, bsize } = statfsSync(settings.dataFolder)
  const free = bavail * bsize
  const bound = Math.max(kLeast, Math.floor((free + sizeOf(dataPaths(settings).nats)) * kShare))
  return { bytes: Math.min(wanted, bound), free }
}

/** Bytes of all files below a folder; 0 when there is none. */
function sizeOf(folder: string): number {
  let bytes = 0
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name)
      bytes += entry.isDirectory() ? sizeOf(path) : statSync(path).size
    }
  } catch {
    // A file that was deleted meanwhile.
  }
  return bytes
}
