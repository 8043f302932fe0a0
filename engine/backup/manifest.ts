import { lstat, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Type } from '@sinclair/typebox'
import type { StreamConfig } from 'nats'
import { AlprError, reasonOf } from '../errors.js'
import { BUCKET, OBJECTS, STREAM } from '../nats/topology.js'
import { SEGMENT } from '../pictures/segment.js'
import { faultText, parserOf } from '../runtime/validate.js'
import type { StreamSnapshot } from './stream_snapshot.js'
import type { TablePiece } from './table_dump.js'

/** `manifest.json` of a backup: its contents. It is written last, so an interrupted backup has none. */
export interface Manifest {
  format: 1
  /** Name and version of the program that wrote it. */
  product: string
  schema: number
  /** RFC 3339. */
  at: string
  streams: StreamSnapshot[]
  tables: TablePiece[]
  /** Picture segments, with the bytes that belong to the backup. */
  crops: { name: string; bytes: number }[]
}

/** Folders of a backup. */
export const PARTS = ['streams', 'tables', 'crops'] as const
/** The manifest of a backup of any size that the product makes is far smaller. */
const MAX_MANIFEST_BYTES = 268_435_456

const Size = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })
const Digest = Type.String({ pattern: '^[0-9a-f]{64}$' })
const ManifestSchema = Type.Object({
  format: Type.Literal(1),
  product: Type.String({ maxLength: 200 }),
  schema: Type.Integer({ minimum: 1 }),
  at: Type.String({ maxLength: 40 }),
  streams: Type.Array(
    Type.Object({
      name: Type.String({ pattern: '^[A-Z][A-Za-z0-9_-]{0,127}$' }),
      config: Type.Object({ name: Type.String() }),
      state: Type.Object({ messages: Size, first_seq: Size, last_seq: Size }),
      sha256: Digest,
      bytes: Size,
    }),
    { maxItems: 100_000 },
  ),
  tables: Type.Array(
    Type.Object({
      table: Type.String({ pattern: '^[a-z][a-z0-9_]{0,63}$' }),
      file: Type.String({ pattern: '^[a-z][a-z0-9_]{0,63}\\.\\d{1,9}\\.native\\.gz$' }),
      rows: Size,
      sha256: Digest,
    }),
  ),
  crops: Type.Array(Type.Object({ name: Type.String({ pattern: SEGMENT.source }), bytes: Size })),
})
const parse = parserOf<Manifest>(ManifestSchema, (fault) => new Error(`manifest.json: ${faultText(fault, 'it')}`), {
  copy: false,
})

/** Streams of the product: entrances and states of partitions, hits, dead letters, buckets, files of lists. */
const STREAMS = new RegExp(
  `^((STATE-)?(FRAMES|DETECTIONS)(-\\d+-\\d+)?|${STREAM.hits}|${STREAM.dead}|` +
    `KV_(${Object.values(BUCKET).join('|')}|PASSES)|OBJ_${OBJECTS.hotlistFiles})$`,
)
/** What connects a stream to others, other accounts or other servers: none of ours has it. */
const FOREIGN_CONFIG = ['mirror', 'sources', 'republish', 'subject_transform', 'template_owner'] as const

/**
 * The manifest of a backup. Whoever may write to the folder may have changed it, so each name in it is one that the
 * product gives, each file is a plain file in its folder, and has the size that was written where one was.
 * @throws ALPR_ERR_BACKUP_FAILED when the folder contains no finished backup
 */
export async function readManifest(folder: string): Promise<Manifest> {
  try {
    const file = join(folder, 'manifest.json')
    await requireFile(file, undefined, MAX_MANIFEST_BYTES)
    const content: unknown = JSON.parse(await readFile(file, 'utf8'))
    const format = (content as { format?: unknown } | null)?.format
    if (format !== 1) throw new Error(`its format is ${String(format).slice(0, 20)}, this program reads 1`)
    const manifest = parse(content)
    for (const { name, config } of manifest.streams) requireStream(name, config)
    for (const { table, file } of manifest.tables)
      if (!file.startsWith(`${table}.`)) throw new Error(`${file} is not a file of table ${table}`)
    for (const [what, names] of [
      ['stream', manifest.streams.map(({ name }) => name)],
      ['file', manifest.tables.map(({ file }) => file)],
      ['segment', manifest.crops.map(({ name }) => name)],
    ] as const) {
      const twice = names.find((name, at) => names.indexOf(name) !== at)
      if (twice !== undefined) throw new Error(`${what} ${twice} is listed twice`)
    }
    for (const part of PARTS)
      if (!(await lstat(join(folder, part))).isDirectory()) throw new Error(`${part} is not a folder`)
    for (const { name, bytes } of manifest.streams) await requireFile(snapshotFile(folder, name), bytes)
    for (const { file } of manifest.tables) await requireFile(join(folder, 'tables', file))
    for (const { name, bytes } of manifest.crops) await requireFile(join(folder, 'crops', name), bytes)
    return manifest
  } catch (error) {
    throw failed(folder, `it contains no finished backup (${reasonOf(error)})`)
  }
}

/** Where a backup has the snapshot of a stream. */
export const snapshotFile = (folder: string, stream: string): string => join(folder, 'streams', `${stream}.snapshot`)

export const failed = (what: string, reason: string): AlprError =>
  new AlprError('ALPR_ERR_BACKUP_FAILED', { what, reason })

function requireStream(name: string, config: StreamConfig): void {
  if (!STREAMS.test(name)) throw new Error(`${name} is not a stream of this program`)
  if (config.name !== name) throw new Error(`stream ${name} has the configuration of another one`)
  const given = config as unknown as Record<string, unknown>
  const foreign = FOREIGN_CONFIG.find((key) => given[key] !== undefined && given[key] !== null && given[key] !== '')
  if (foreign !== undefined) throw new Error(`stream ${name} has ${foreign}, which no stream of this program has`)
}

async function requireFile(file: string, bytes?: number, most?: number): Promise<void> {
  const state = await lstat(file)
  if (!state.isFile()) throw new Error(`${file} is not a plain file`)
  if (bytes !== undefined && state.size !== bytes)
    throw new Error(`${file} has ${state.size} bytes, not the ${bytes} that were written`)
  if (most !== undefined && state.size > most) throw new Error(`${file} is larger than ${most} bytes`)
}
