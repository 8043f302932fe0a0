import { constants } from 'node:fs'
import { chmod, copyFile, mkdir, readdir, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ClickHouseClient } from '@clickhouse/client'
import type { NatsConnection } from 'nats'
import { countsOf, readPartitioning } from '../nats/partitioning.js'
import { BUCKET, ENTRANCES, partitionsOf, stateStreamOf, streamOf, type Partition } from '../nats/topology.js'
import { CheckpointLog } from '../partition/checkpoint_log.js'
import { migrate, SCHEMA_VERSION } from '../store/migrate.js'
import { failed, type Manifest, PARTS, readManifest, snapshotFile } from './manifest.js'
import { restoreStream, snapshotStream, type StreamSnapshot } from './stream_snapshot.js'
import { dumpTables, loadTables } from './table_dump.js'

export interface BackupSystem {
  connection: NatsConnection
  client: ClickHouseClient
  database: string
  cropsFolder: string
}

/** Attempts to snapshot streams before they are trimmed. */
const MAX_ATTEMPTS = 10
/** Not backed up: leases expire within seconds. */
const NOT_KEPT = [`KV_${BUCKET.leases}`]

/**
 * Backs up all of a running system: streams, buckets and object stores of NATS, then every table, then the pictures. In
 * this order a restored system continues from an older position of the stream than its tables show, and repeated work
 * produces the same ids; in the opposite order it would lose messages. Pictures come last, because rows refer to them.
 * @param folder empty or new
 * @throws ALPR_ERR_BACKUP_FAILED
 */
export async function backUp(
  system: BackupSystem,
  folder: string,
  product: string,
  say: (text: string) => void = () => {},
): Promise<Manifest> {
  const { connection, client, database, cropsFolder } = system
  await makeEmpty(folder)
  const manifest: Manifest = {
    format: 1,
    product,
    schema: SCHEMA_VERSION,
    at: new Date().toISOString(),
    streams: [],
    tables: [],
    crops: [],
  }
  manifest.streams = await snapshotAll(connection, folder, say)
  manifest.tables = await dumpTables(client, database, join(folder, 'tables'), (table, rows) =>
    say(`table ${table}: ${rows} rows`),
  )
  for (const name of await readdir(cropsFolder).catch(() => [])) {
    const { size } = await stat(join(cropsFolder, name))
    await copyFile(join(cropsFolder, name), join(folder, 'crops', name))
    await chmod(join(folder, 'crops', name), 0o600)
    // It may have grown while it was copied; bytes beyond `size` are not part of this backup.
    await truncate(join(folder, 'crops', name), size)
    manifest.crops.push({ name, bytes: size })
  }
  say(`pictures: ${manifest.crops.length} segments`)
  await writeFile(join(folder, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600 })
  return manifest
}

/**
 * Snapshots of the checkpoints, then of the entrance streams: a restored engine begins at a checkpoint and finds every
 * later message. If messages were deleted meanwhile, these snapshots are taken again.
 */
async function snapshotAll(
  connection: NatsConnection,
  folder: string,
  say: (text: string) => void,
): Promise<StreamSnapshot[]> {
  const manager = await connection.jetstreamManager()
  const names: string[] = []
  for await (const { config } of manager.streams.list()) if (!NOT_KEPT.includes(config.name)) names.push(config.name)
  const take = async (name: string): Promise<StreamSnapshot> =>
    snapshotStream(connection, name, snapshotFile(folder, name))
  const partitions = await existingPartitions(connection)
  const bound = [`KV_${BUCKET.partitions}`, ...partitions.map(stateStreamOf), ...partitions.map(streamOf)].filter(
    (name) => names.includes(name),
  )
  for (let attempt = 1; ; attempt++) {
    const needed = new Map<string, number>()
    for (const partition of partitions)
      needed.set(streamOf(partition), (await CheckpointLog.positionOf(manager, partition))?.wanted ?? 0)
    const snapshots: StreamSnapshot[] = []
    for (const name of bound) snapshots.push(await take(name))
    const trimmed = snapshots.find(
      ({ name, state }) => (needed.get(name) ?? 0) > 0 && state.first_seq > needed.get(name)!,
    )
    if (trimmed && attempt < MAX_ATTEMPTS) continue
    if (trimmed) throw failed(`stream ${trimmed.name}`, 'it was trimmed during each attempt to back it up')
    for (const name of names.filter((one) => !bound.includes(one))) snapshots.push(await take(name))
    for (const { name, state } of snapshots) say(`stream ${name}: ${state.messages} messages`)
    return snapshots
  }
}

/** The partitions that have streams, also those of a number that is being changed. */
async function existingPartitions(connection: NatsConnection): Promise<Partition[]> {
  const bucket = await connection.jetstream().views.kv(BUCKET.partitions, { bindOnly: true })
  const found = await readPartitioning(bucket)
  const counts = found ? countsOf(found.partitioning) : []
  return counts.flatMap((count) => ENTRANCES.flatMap((entrance) => partitionsOf(entrance, count)))
}

/**
 * Restores a backup into empty servers, on which no engine or gateway runs yet.
 * @throws ALPR_ERR_BACKUP_FAILED
 */
export async function restore(
  system: BackupSystem,
  folder: string,
  say: (text: string) => void = () => {},
): Promise<Manifest> {
  const { connection, client, database, cropsFolder } = system
  const manifest = await readManifest(folder)
  if (manifest.schema !== SCHEMA_VERSION)
    throw failed(
      folder,
      `its tables have schema ${manifest.schema}, this program has ${SCHEMA_VERSION}: ` +
        `restore it with ${manifest.product} and then start this program on the result`,
    )
  const existing: string[] = []
  for await (const { config } of (await connection.jetstreamManager()).streams.list()) existing.push(config.name)
  const conflict = manifest.streams.find(({ name }) => existing.includes(name))
  if (conflict) throw failed(`stream ${conflict.name}`, 'it already exists; a backup is restored into an empty server')
  await migrate(client, database)
  await loadTables(client, database, join(folder, 'tables'), manifest.tables, (table) => say(`table ${table}`))
  await mkdir(cropsFolder, { recursive: true, mode: 0o700 })
  for (const { name, bytes } of manifest.crops) {
    const from = join(folder, 'crops', name)
    const to = join(cropsFolder, name)
    // Never over a file, and never through a link.
    await copyFile(from, to, constants.COPYFILE_EXCL)
    await chmod(to, 0o600)
    if ((await stat(to)).size !== bytes) throw failed(from, `it does not have the ${bytes} bytes that were written`)
  }
  say(`pictures: ${manifest.crops.length} segments`)
  // Last: with its streams an engine could start.
  for (const snapshot of manifest.streams) {
    await restoreStream(connection, snapshot, snapshotFile(folder, snapshot.name))
    say(`stream ${snapshot.name}: ${snapshot.state.messages} messages`)
  }
  return manifest
}

/** Creates the folders of a backup. @throws ALPR_ERR_BACKUP_FAILED unless they are empty */
async function makeEmpty(folder: string): Promise<void> {
  for (const name of PARTS) await mkdir(join(folder, name), { recursive: true, mode: 0o700 })
  for (const name of ['.', ...PARTS]) {
    const entries = (await readdir(join(folder, name))).filter(
      (entry) => name !== '.' || !PARTS.some((part) => part === entry),
    )
    if (entries.length > 0) throw failed(folder, `it is not empty (${entries[0]!}); use a new folder`)
  }
}
