import { mappingLines } from '../../engine/nats/partitioning.js'
import type { Stream } from './nats/stream.js'
import type { Mapping } from './nats/subjects.js'

/** Whether cameras' messages arrive on this stream. */
export const isEntrance = ({ name }: Stream): boolean => /^(FRAMES|DETECTIONS)(-|$)/.test(name)

/** What the server's configuration maps for this number of partitions. One partition needs no mapping. */
export const mappingsOf = (partitions: number): Mapping[] =>
  partitions === 1
    ? []
    : mappingLines(partitions).map((line) => {
        const [, source, destination] = /^"(.*)": "(.*)"$/.exec(line)!
        return [source!, destination!]
      })
