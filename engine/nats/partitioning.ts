import type { KV } from 'nats'
import { AlprError } from '../errors.js'
import { isWrongLastSequence } from './errors.js'
import { PARTITIONING_KEY } from './topology.js'

/** Partitions of a new private server. */
export const DEFAULT_PARTITIONS = 4

/**
 * How many partitions the cameras are divided into: one durable value for the whole installation (bucket FLOORS), and
 * for both entrances. It changes on a running system in these steps:
 *
 *     { partitions: 4 }
 *     { partitions: 8, from: 4 }                  the streams of both numbers take messages; those of 4 are worked off
 *         the server maps to 8                    then the streams of 4 are closed to publishers
 *     { partitions: 8, from: 4, drained: true }   all of 4 is done; those of 8 begin with the states of 4
 *     { partitions: 8 }                           each of 8 has a checkpoint of its own; those of 4 are deleted
 */
export interface Partitioning {
  partitions: number
  /** The number before, while a change is under way; EARLIER_RELEASE after an upgrade. */
  from?: number
  /** Nothing is left to be processed in the streams of `from`. */
  drained?: boolean
}

/** The number of partitions whose streams are worked on now. */
export const activeCount = ({ partitions, from, drained }: Partitioning): number =>
  from === undefined || drained ? partitions : from

/** The numbers whose streams exist. */
export const countsOf = ({ partitions, from }: Partitioning): number[] =>
  from === undefined ? [partitions] : [from, partitions]

/** The stored value and its revision; undefined before the first setup. */
export async function readPartitioning(
  bucket: KV,
): Promise<{ partitioning: Partitioning; revision: number } | undefined> {
  const entry = await bucket.get(PARTITIONING_KEY)
  if (entry?.operation !== 'PUT') return undefined
  return { partitioning: entry.json<Partitioning>(), revision: entry.revision }
}

/**
 * The durable number of partitions; the first process that asks decides it.
 * @param wanted what the settings say; undefined: what is stored, or else what the server maps to
 * @param from EARLIER_RELEASE when there are streams of an earlier release
 * @throws ALPR_ERR_PARTITIONS_DIFFER when the settings name another number than the stored one
 */
export async function decidePartitioning(
  bucket: KV,
  { wanted, mapped, from }: { wanted?: number; mapped: () => Promise<number>; from?: number },
): Promise<Partitioning> {
  for (;;) {
    const found = await readPartitioning(bucket)
    if (found) {
      const { partitioning } = found
      if (wanted !== undefined && wanted !== partitioning.partitions)
        throw new AlprError('ALPR_ERR_PARTITIONS_DIFFER', { wanted, stored: partitioning.partitions })
      return partitioning
    }
    const partitioning = { partitions: wanted ?? (await mapped()), ...(from !== undefined && { from }) }
    if (await compareAndSet(bucket, partitioning, 0)) return partitioning
  }
}

/**
 * Begins a change of the number of partitions. The streams of the new number must exist.
 * @throws ALPR_ERR_PARTITIONS_CHANGING while the previous change is under way
 */
export async function beginChange(bucket: KV, partitions: number): Promise<Partitioning> {
  for (;;) {
    const found = await readPartitioning(bucket)
    if (!found)
      throw new AlprError('ALPR_ERR_NOT_FOUND', { what: 'the number of partitions: no engine has started yet' })
    const { partitioning, revision } = found
    if (partitioning.from !== undefined)
      throw new AlprError('ALPR_ERR_PARTITIONS_CHANGING', { from: partitioning.from, to: partitioning.partitions })
    if (partitioning.partitions === partitions) return partitioning
    const next = { partitions, from: partitioning.partitions }
    if (await compareAndSet(bucket, next, revision)) return next
  }
}

/** Stores the next step of a change. @returns false when somebody else changed the value meanwhile */
export async function compareAndSet(bucket: KV, next: Partitioning, revision: number): Promise<boolean> {
  try {
    await bucket.put(PARTITIONING_KEY, JSON.stringify(next), { previousSeq: revision })
    return true
  } catch (error) {
    if (isWrongLastSequence(error)) return false
    throw error
  }
}

/**
 * The partition that nats-server's mapping function `partition(count, 1)` gives a camera: FNV-1a of 32 bits, modulo.
 * @returns 0 to count - 1
 */
export function partitionOfCamera(camera: string, count: number): number {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(camera)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0
  return hash % count
}

/** Lines of the server's configuration that map both entrances to `count` partitions. */
export const mappingLines = (count: number): string[] =>
  ['frames', 'detections'].map((root) => `"${root}.*": "${root}.${count}.{{partition(${count},1)}}.{{wildcard(1)}}"`)
