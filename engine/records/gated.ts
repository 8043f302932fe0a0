import type { JetStreamClient, JetStreamManager, NatsConnection } from 'nats'
import { backUp, type BackupSystem } from '../backup/backup.js'
import type { Manifest } from '../backup/manifest.js'
import { loadDeadLetter, type DeadLetter } from '../dead_letters/queue.js'
import type { RecordOptions, RecordSummary } from '../feeds/feed_recording.js'
import type { StandingPartial } from '../hotlists/standing_partial.js'
import { listStandingPartials } from '../hotlists/standing_partial_store.js'
import { requireWhole } from '../store/scope.js'
import type { Access, AccessGate } from './access.js'
import { throughGate } from './through_gate.js'

/**
 * Plate data that leaves in another way than through `Records`: each of these is one access. The scope of the ticket
 * must be the whole, because neither a file nor a payload can be cut to a part of the cameras.
 */

/**
 * One dead letter with its payload: a frame, or a message with plates. @throws ALPR_ERR_NOT_FOUND, or what the gate
 * throws
 */
export function readDeadLetter(
  gate: AccessGate,
  access: Access,
  manager: JetStreamManager,
  seq: number,
): Promise<DeadLetter & { payload: Uint8Array }> {
  return throughGate(gate, access, { kind: 'dead letter', input: { seq }, form: 'page' }, async ({ scope }, count) => {
    requireWhole(scope, 'a dead letter')
    const letter = await loadDeadLetter(manager, seq)
    count(1)
    return letter
  })
}

/** Partial plates that watch the stream, with reason and case. @throws what the gate throws */
export function readPartials(gate: AccessGate, access: Access, client: JetStreamClient): Promise<StandingPartial[]> {
  return throughGate(gate, access, { kind: 'partials', input: {}, form: 'page' }, async ({ scope }, count) => {
    requireWhole(scope, 'the list of partial plates')
    const partials = await listStandingPartials(client)
    count(partials.length)
    return partials
  })
}

/**
 * Records what cameras publish into a file until `options.signal` aborts; see `record` of feeds. @throws as that, or
 * what the gate throws
 */
export function recordFeed(
  gate: AccessGate,
  access: Access,
  connection: NatsConnection,
  options: RecordOptions,
): Promise<RecordSummary> {
  const { out, cameras = [] } = options
  return throughGate(
    gate,
    access,
    { kind: 'recording', input: { out, cameras }, form: 'export' },
    async ({ scope }, count) => {
      requireWhole(scope, 'a recording')
      // Loaded here, because it brings the MCAP library, which the gateway does not need.
      const { record } = await import('../feeds/feed_recording.js')
      const summary = await record(connection, options)
      count(summary.frames)
      return summary
    },
  )
}

/**
 * Writes everything of the running system to a folder; see `backUp`. @throws ALPR_ERR_BACKUP_FAILED, or what the gate
 * throws
 */
export function writeBackup(
  gate: AccessGate,
  access: Access,
  system: BackupSystem,
  folder: string,
  product: string,
  say: (text: string) => void = () => {},
): Promise<Manifest> {
  return throughGate(gate, access, { kind: 'backup', input: { folder }, form: 'export' }, async ({ scope }, count) => {
    requireWhole(scope, 'a backup')
    const manifest = await backUp(system, folder, product, say)
    count(manifest.tables.reduce((rows, table) => rows + table.rows, 0))
    return manifest
  })
}
