/**
 * The names of everything on NATS. The server maps `frames.<camera>` and `detections.<camera>` to the partition of the
 * camera (`partitioning.ts`); with one partition there is no need to.
 *
 *     FRAMES-<count>-<partition>      frames.<count>.<partition>.<camera>        JPEG + headers
 *     DETECTIONS-<count>-<partition>  detections.<count>.<partition>.<camera>    JSON of cameras that read plates
 *     STATE-FRAMES-<count>-<partition>, STATE-DETECTIONS-...                     the partition's checkpoints
 *     HITS        hits.<list>.<camera>               JSON of Hit
 *     DEAD        dead.<camera>.<reason>             the original payload + Dead-* headers
 *     core        reads.<camera>                     JSON of LiveRead, for live display only (not durable)
 *     core        status.engine.<instance>           JSON of EngineStatus, once a second
 *     core        status.ingest.<instance>           JSON of IngestStatus, once a second
 *     core        identity.engine.<instance>         a request: an engine that has this name answers; the same
 *                 identity.ingest.<instance>         for ingest processes
 *     KV          CAMERAS <camera>
 *                 HOTLISTS <list>                    record of the list
 *                 PARTIALS <id>
 *                 FLOORS partitioning                how many partitions there are
 *                        epoch                       the last number of a stream's life (model/read_id.ts)
 *                        trial.<partition>           note of the poison guard
 *                 LEASES <partition>, engine.<instance>, schema, setup, partitioning, ingest.<instance>,
 *                        live.<camera>: they expire after 6 s
 *     objects     HOTLIST_FILES <list>.<version>     entries of the list, one JSON object a line
 *
 * `<count>` is the number of partitions, so that the streams of two numbers exist side by side while it changes.
 *
 * Releases before 2026-12 had one stream for all partitions of an entrance, FRAMES and DETECTIONS, with the subjects
 * `frames.<partition>.<camera>`, committed offsets in FLOORS and camera states in bucket PASSES
 * (`partition/earlier_release.ts`).
 */
export const STREAM = { hits: 'HITS', dead: 'DEAD' } as const
export const BUCKET = {
  cameras: 'CAMERAS',
  hotlists: 'HOTLISTS',
  partials: 'PARTIALS',
  /** What the partitions share. The name is from releases in which it held the committed offsets. */
  partitions: 'FLOORS',
  leases: 'LEASES',
} as const
/** Key in LEASES of the engine that migrates the tables of the store. */
export const SCHEMA_LEASE = 'schema'
/** Key in LEASES of the engine that lowers bounds. */
export const SETUP_LEASE = 'setup'
/** Key in LEASES of the engine that completes a change of the number of partitions. */
export const PARTITIONING_LEASE = 'partitioning'
/** Key in LEASES of the ingest process that pulls a camera. */
export const liveLease = (camera: string) => `live.${camera}`
/** Keys in FLOORS. */
export const PARTITIONING_KEY = 'partitioning'
export const EPOCH_KEY = 'epoch'
export const OBJECTS = { hotlistFiles: 'HOTLIST_FILES' } as const

export const HEADER = {
  capturedAt: 'Captured-At',
  position: 'Position',
  heading: 'Heading',
  speed: 'Speed',
  feed: 'Feed',
  msgId: 'Nats-Msg-Id',
  deadReason: 'Dead-Reason',
  deadMessage: 'Dead-Message',
  deadSubject: 'Dead-Subject',
  deadSequence: 'Dead-Sequence',
  deadIndex: 'Dead-Index',
  /** Length of a payload that was not kept. */
  deadBytes: 'Dead-Bytes',
  deadAt: 'Dead-At',
} as const

/** A publisher always uses this subject; the server adds the partition. */
export const framesSubject = (camera: string) => `frames.${camera}`
/** Where a hit of a list and a camera is published. */
export const hitsSubject = (list: string, camera: string) => `hits.${list}.${camera}`
/** Where a dead letter goes, with the code of its reason; before 2026-12 without the code. */
export const deadSubject = (camera: string, reason: string) => `dead.${camera}.${reason}`
/** Live reads of a camera, for display; no stream keeps them. */
export const readsSubject = (camera: string) => `reads.${camera}`
/** The status of an engine, once a second. The dots of its name are replaced: it is one token. */
export const statusSubject = (instance: string) => `status.engine.${instance.replaceAll('.', '-')}`
/** The status of an ingest process, once a second. */
export const ingestStatusSubject = (instance: string) => `status.ingest.${instance.replaceAll('.', '-')}`
/** Where an engine or ingest process asks whether another of its name runs, and answers. */
export const instanceNameSubject = (instance: string, kind: 'engine' | 'ingest' = 'engine') =>
  `identity.${kind}.${instance.replaceAll('.', '-')}`

/** Like `framesSubject`, for cameras that read plates themselves. */
export const detectionsSubject = (camera: string) => `detections.${camera}`

/** Where cameras send to. The server maps a camera to the same partition on both entrances. */
export interface Entrance {
  /** First token of the subject. */
  readonly root: 'frames' | 'detections'
  /** First part of the names of its streams. */
  readonly stream: 'FRAMES' | 'DETECTIONS'
}
export const ENTRANCE = {
  frames: { root: 'frames', stream: 'FRAMES' },
  detections: { root: 'detections', stream: 'DETECTIONS' },
} as const satisfies Record<string, Entrance>
export const ENTRANCES: readonly Entrance[] = Object.values(ENTRANCE)

/** The cameras that share a stream of an entrance. One engine at a time works on it. */
export interface Partition {
  readonly entrance: Entrance
  /** How many partitions the entrance has; EARLIER_RELEASE: the stream is the shared one of an earlier release. */
  readonly count: number
  /** From 0. */
  readonly index: number
}
/** In place of the number of partitions: the one stream of an entrance of a release before 2026-12. */
export const EARLIER_RELEASE = 0

/** All partitions of an entrance. @param count EARLIER_RELEASE: its one stream */
export const partitionsOf = (entrance: Entrance, count: number): Partition[] =>
  Array.from({ length: Math.max(1, count) }, (_, index) => ({ entrance, count, index }))

/** The name of a partition in buckets, metrics and logs: `frames-4-2`. */
export const partitionName = ({ entrance, count, index }: Partition): string => `${entrance.root}-${count}-${index}`

/** The stream that holds the messages of a partition. */
export const streamOf = ({ entrance, count, index }: Partition): string =>
  count === EARLIER_RELEASE ? entrance.stream : `${entrance.stream}-${count}-${index}`

/** The subjects of a partition's stream. One partition needs no mapping: it takes what publishers send as it is. */
export const subjectsOf = ({ entrance: { root }, count, index }: Partition): string[] => [
  `${root}.${count}.${index}.*`,
  ...(count === 1 ? [`${root}.*`] : []),
]

/** The subjects under which the messages of a camera are on a partition's stream; some contain a wildcard. */
export const subjectsOfCamera = (partition: Partition, camera: string): string[] => {
  const { entrance, count } = partition
  return count === EARLIER_RELEASE
    ? [`${entrance.root}.${camera}`, `${entrance.root}.*.${camera}`]
    : subjectsOf(partition).map((subject) => subject.replace('*', camera))
}

/** The stream of a partition's checkpoints. */
export const stateStreamOf = ({ entrance, count, index }: Partition): string =>
  `STATE-${entrance.stream}-${count}-${index}`
/** The subject of every message on that stream. */
export const stateSubjectOf = ({ entrance, count, index }: Partition): string =>
  `state.${entrance.root}.${count}.${index}`

/** The name of the poison guard's note about a partition in FLOORS. */
export const poisonKey = (partition: string) => `trial.${partition}`

/** The first token of a subject, which names the entrance. */
export const rootOf = (subject: string) => subject.slice(0, subject.indexOf('.'))

/** The camera is the last token of the subject, mapped or not. */
export const cameraOf = (subject: string) => subject.slice(subject.lastIndexOf('.') + 1)
