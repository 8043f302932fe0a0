/**
 * Node.js asks this module where an import comes from (module.register). The modules of the engine through which it
 * reaches threads, disks and ClickHouse are replaced by those of this folder; everything else is the engine's own code.
 */

/** Path in the build, and the module of this folder that replaces it: it re-exports the original's other names. */
const SUBSTITUTES: readonly [original: string, substitute: string][] = [
  ['wasm/load_node.js', 'load_node.js'],
  ['engine/hotlists/list_compiler.js', 'list_compiler.js'],
  ['engine/recognize/pool.js', 'recognizer_pool.js'],
  ['engine/pictures/renderer.js', 'renderer.js'],
  ['engine/pictures/segment_writer.js', 'segment_writer.js'],
  ['engine/store/client.js', 'store_client.js'],
  ['engine/store/migrate.js', 'migrate.js'],
  ['engine/store/writer.js', 'store_writer.js'],
]

interface Resolved {
  url: string
  shortCircuit?: boolean
}

const here = (name: string) => new URL(name, import.meta.url).href
const root = new URL('../../../', import.meta.url).href

export async function resolve(
  specifier: string,
  context: { parentURL?: string },
  next: (specifier: string, context: object) => Promise<Resolved>,
): Promise<Resolved> {
  const resolved = await next(specifier, context)
  if (!resolved.url.startsWith(root)) return resolved
  const path = resolved.url.slice(root.length)
  const found = SUBSTITUTES.find(([original]) => original === path)
  if (!found || context.parentURL === here(found[1])) return resolved
  return { ...resolved, url: here(found[1]), shortCircuit: true }
}
