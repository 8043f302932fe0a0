import { setTimeout as sleep } from 'node:timers/promises'
import type { NatsConnection, StreamState } from 'nats'
import { SegmentReader } from '../../engine/internal_mod.js'
import { type Hit, STREAM } from '../../engine/mod.js'
import type { ConsoleWatch } from './console_watch.js'
import type { Oracle } from './oracle.js'

/**
 * Outcome of a fault's frames wherever it is visible, expressed in terms of the recording: two runs of the same frames
 * must be equal.
 */
export interface Outcome {
  /** `reads FINAL`, by id. */
  reads: Record<string, unknown>[]
  /** Ids that occur more than once in `reads FINAL`. */
  duplicateReads: string[]
  /** Reads whose picture is missing or not a JPEG. */
  badPictures: string[]
  /** Last revision of each hit on the stream, by id. */
  hits: Record<string, unknown>[]
  /** Revisions that occur more than once on the stream. */
  duplicateRevisions: string[]
  /** Ids and last revisions in the store and on the stream. */
  hitsStored: string[]
  hitsOnStream: string[]
  /** Sequences on the stream, and as delivered to each console. */
  sequences: number[]
  delivered: number[][]
  ledger: Record<string, number>[]
  dead: string[]
}

export interface OutcomeSources {
  rows<T>(query: string): Promise<T[]>
  connection: NatsConnection
  cropsFolder: string
  oracle: Oracle
  consoles: readonly ConsoleWatch[]
}

type Row = Record<string, unknown>
type StoredRead = Row & {
  read_id: string
  camera: string
  crop_segment: string
  crop_offset: string
  crop_length: number
}

/** Columns that differ between two runs of the same frames: the locations of pictures. */
const RUN_SPECIFIC = ['crop_segment', 'crop_offset', 'crop_length', 'picture_gap', 'picture_length']

/** @param suffix of the fault's cameras */
export async function outcomeOf(
  suffix: string,
  { rows, connection, cropsFolder, oracle, consoles }: OutcomeSources,
): Promise<Outcome> {
  const camera = (name: string) => name.slice(0, -suffix.length)
  const where = `WHERE camera LIKE '%${suffix}'`
  const reads = await rows<StoredRead>(`SELECT * EXCEPT (counts) FROM platestream.reads FINAL ${where}`)
  const messages = (await allOf(connection, STREAM.hits))
    .map(({ seq, data }) => ({ seq, hit: JSON.parse(new TextDecoder().decode(data)) as Hit }))
    .filter(({ hit }) => hit.camera.endsWith(suffix))
  const last = new Map<string, Hit>()
  for (const { hit } of messages) if ((last.get(hit.hitId)?.revision ?? 0) < hit.revision) last.set(hit.hitId, hit)
  const dead = (await allOf(connection, STREAM.dead)).filter(({ subject }) => cameraOfDead(subject).endsWith(suffix))
  return {
    reads: sorted(
      reads.map((read) => ({
        ...without(read, RUN_SPECIFIC),
        read_id: oracle.nameOf(read.read_id, read.camera, String(read.ts)),
        camera: camera(read.camera),
      })),
    ),
    duplicateReads: duplicates(reads.map((read) => read.read_id)),
    badPictures: await findBadPictures(reads, cropsFolder),
    hits: sorted(
      [...last.values()].map(
        ({ hitId, state, plate, listedPlate, list, camera: at, ts, tsLast, direction, probability }) => ({
          id: hitId.replace(/^\d+/, (id) => oracle.nameOf(id, at, ts)),
          state,
          plate,
          listedPlate,
          list,
          camera: camera(at),
          ts,
          tsLast,
          direction,
          probability,
        }),
      ),
    ),
    duplicateRevisions: duplicates(messages.map(({ hit }) => `${hit.hitId} ${hit.revision}`)),
    hitsStored: (
      await rows<{ hit_id: string; revision: number }>(`SELECT hit_id, revision FROM platestream.hits FINAL ${where}`)
    )
      .map((hit) => `${hit.hit_id} ${hit.revision}`)
      .sort(),
    hitsOnStream: [...last.values()].map((hit) => `${hit.hitId} ${hit.revision}`).sort(),
    sequences: messages.map(({ seq }) => seq),
    delivered: consoles.map(({ delivered }) =>
      delivered
        .filter(({ hit }) => hit.camera.endsWith(suffix))
        .map(({ seq }) => seq)
        .sort((a, b) => a - b),
    ),
    ledger: (
      await rows<Row>(
        `SELECT camera, hour, sum(frames_in) AS f, sum(with_reads) AS r, sum(without_plate) AS w, sum(dead) AS d
         FROM platestream.ledger FINAL ${where} GROUP BY camera, hour ORDER BY camera, hour`,
      )
    ).map(
      ({ camera: name, hour, ...sums }) =>
        ({ camera: camera(String(name)), hour: String(hour), ...mapNumbers(sums) }) as unknown as Record<
          string,
          number
        >,
    ),
    dead: dead
      .map(({ sequence, subject }) => {
        const frame = oracle.frameAt(cameraOfDead(subject), sequence)
        return frame?.name ?? `sequence ${sequence}`
      })
      .sort(),
  }
}

async function findBadPictures(reads: StoredRead[], folder: string): Promise<string[]> {
  const crops = new SegmentReader(folder)
  const bad: string[] = []
  for (const read of reads) {
    const jpeg = await crops
      .read({ segment: read.crop_segment, offset: Number(read.crop_offset), length: read.crop_length })
      .catch(() => undefined)
    if (jpeg?.readUInt16BE(0) !== 0xffd8) bad.push(read.read_id)
  }
  return bad
}

/** Every message of a stream, in order. */
async function allOf(
  connection: NatsConnection,
  stream: string,
): Promise<{ seq: number; subject: string; data: Uint8Array; sequence: number }[]> {
  const all: { seq: number; subject: string; data: Uint8Array; sequence: number }[] = []
  const { messages } = await streamState(connection, stream)
  if (messages === 0) return all
  for await (const message of await (await connection.jetstream().consumers.get(stream)).consume()) {
    all.push({
      seq: message.seq,
      subject: message.subject,
      data: message.data,
      sequence: Number(message.headers?.get('Dead-Sequence') ?? 0),
    })
    if (message.info.pending === 0) break
  }
  return all
}

const without = (row: Row, names: string[]): Row =>
  Object.fromEntries(Object.entries(row).filter(([name]) => !names.includes(name)))
const mapNumbers = (row: Row): Record<string, number> =>
  Object.fromEntries(Object.entries(row).map(([name, value]) => [name, Number(value)]))
const sorted = (rows: Row[]): Row[] => rows.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
const duplicates = (ids: string[]): string[] => [...new Set(ids.filter((id, at) => ids.indexOf(id) !== at))]

/**
 * State of a stream. Servers of a cluster do not answer while they elect a leader, so the request is retried for half a
 * minute.
 */
export async function streamState(connection: NatsConnection, stream: string): Promise<StreamState> {
  const manager = await connection.jetstreamManager({ checkAPI: false, timeout: 5_000 })
  const deadline = performance.now() + 30_000
  for (;;) {
    try {
      return (await manager.streams.info(stream)).state
    } catch (error) {
      if (performance.now() > deadline) throw error
      await sleep(500)
    }
  }
}

/** Dead letters are on `dead.<camera>.<reason>`. */
const cameraOfDead = (subject: string): string => subject.split('.')[1] ?? ''
