import type { McapTypes } from '@mcap/core'
import { MAX_RECORD_BYTES } from './feed_file.js'

/** Decompressors of MCAP chunks, by the names that MCAP gives them. Loaded once (WebAssembly, some milliseconds). */
export const decompressors = async (): Promise<McapTypes.DecompressHandlers> => (loaded ??= await load())

let loaded: McapTypes.DecompressHandlers | undefined

async function load(): Promise<McapTypes.DecompressHandlers> {
  const [{ default: lz4 }, { default: zstd }] = await Promise.all([
    import('@foxglove/wasm-lz4'),
    import('@foxglove/wasm-zstd'),
  ])
  await Promise.all([lz4.isLoaded, zstd.isLoaded])
  return {
    lz4: (bytes, size) => lz4(bytes, bounded(size)),
    zstd: (bytes, size) => zstd.decompress(bytes, bounded(size)),
  }
}

/** A chunk that claims to be larger is damage: memory stays bounded. @throws Error */
function bounded(size: bigint): number {
  if (size > MAX_RECORD_BYTES) throw new Error('a compressed chunk claims to be larger than 256 MiB')
  return Number(size)
}
