/** Which life of a stream sequences belong to. */
export interface StreamIdentity {
  /** When the stream was created, as the server reports it. */
  created: string
  /** Unique among all lives of all streams (model/read_id.ts): ids of reads and dead letters derive from it. */
  epoch: number
}

/** How far a camera has come that is behind its partition. */
export interface BehindPosition {
  camera: string
  /** The last message of the camera that is done, or any sequence between it and the next one. */
  done: number
  /** When that message arrived, ms, or a time between it and the next one. */
  doneAt: number
  /** Its messages up to the committed offset that are not done, and their bytes; missing in earlier releases. */
  waiting?: number
  bytes?: number
}

/** How far a partition has come, as its checkpoints say. Numbers are sequences of its stream. */
export interface Position {
  /** Every message up to this one is done but for those of `behind`; later ones come again after a restart. */
  committed: number
  /** When that message arrived on the stream, ms; undefined while there is none. */
  committedAt?: number
  /** Messages from here on may be needed again (for their pictures); earlier ones may be deleted. */
  wanted: number
  stream: StreamIdentity
  /** Cameras that are behind; missing where there are none. */
  behind?: BehindPosition[]
}

/** The first message that is not done. */
export const firstUndone = ({ committed, behind = [] }: Pick<Position, 'committed' | 'behind'>): number =>
  behind.reduce((first, { done }) => Math.min(first, done + 1), committed + 1)
