/**
 * The names of everything on NATS. The server maps `frames.<camera>` and `detections.<camera>` to subjects with a
 * partition; an unmapped server leaves them as they are.
 *
 *     FRAMES      frames.<partition>.<camera>        JPEG + headers
 *     DETECTIONS  detections.<partition>.<camera>    JSON of cameras that read plates themselves
 *     HITS        hits.<list>.<camera>               JSON of Hit
 *     DEAD        dead.<camera>                      the original payload + Dead-* headers
 *     core        reads.<camera>                     JSON of LiveRead, for live display only (not durable)
 *     core        status.engine.<instance>           JSON of EngineStatus, once a second
 *     core        identity.engine.<instance>         a request: an engine that has this name answers
 *     KV          CAMERAS <camera>
 *                 HOTLISTS <list>                    record of the list
 *                 PARTIALS <id>
 *                 PASSES <partition>.<camera>        state of the camera in the checkpoint
 *                 FLOORS <partition>                 committed offset; trial.<partition>: note of the poison guard
 *                 LEASES <partition>, engine.<instance>, schema: they expire after 6 s
 *                 A partition of DETECTIONS is written detections-<partition>.
 *     objects     HOTLIST_FILES <list>.<version>     entries of the list, one JSON object a line
 */
export const STREAM = { frames: 'FRAMES', detections: 'DETECTIONS', hits: 'HITS', dead: 'DEAD' } as const
export const BUCKET = {
  cameras: 'CAMERAS',
  hotlists: 'HOTLISTS',
  partials: 'PARTIALS',
  passes: 'PASSES',
  /** Committed offsets. */
  offsets: 'FLOORS',
  leases: 'LEASES',
} as const
/** Key in LEASES of the engine that migrates the tables of the store. */
export const SCHEMA_LEASE = 'schema'
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
  deadAt: 'Dead-At',
} as const

/** A publisher always uses this subject; the server adds the partition. */
export const framesSubject = (camera: string) => `frames.${camera}`
export const hitsSubject = (list: string, camera: string) => `hits.${list}.${camera}`
export const deadSubject = (camera: string) => `dead.${camera}`
export const readsSubject = (camera: string) => `reads.${camera}`
export const statusSubject = (instance: string) => `status.engine.${instance.replaceAll('.', '-')}`
export const instanceNameSubject = (instance: string) => `identity.engine.${instance.replaceAll('.', '-')}`

export const detectionsSubject = (camera: string) => `detections.${camera}`

/**
 * Where cameras send to. The server maps a camera to the same partition on both entrances; each has its own stream,
 * committed offsets and leases.
 */
export interface Entrance {
  /** First token of the subject. */
  readonly root: 'frames' | 'detections'
  readonly stream: string
  /** Prefix of the partition in keys of FLOORS, LEASES and PASSES. */
  readonly keys: string
}
export const ENTRANCE = {
  frames: { root: 'frames', stream: STREAM.frames, keys: '' },
  detections: { root: 'detections', stream: STREAM.detections, keys: 'detections-' },
} as const satisfies Record<string, Entrance>

/** The name of a partition in the buckets. */
export const partitionKey = (entrance: Entrance, partition: number) => `${entrance.keys}${partition}`

/** Prefix of the poison guard's keys in FLOORS, beside the committed offsets. */
export const kPoisonPrefix = 'trial.'
export const poisonKey = (partition: string) => `${kPoisonPrefix}${partition}`

/** The subjects of a partition. On an unmapped server there is one partition and no token for it. */
export const partitionFilter = (entrance: Entrance, partition: number, partitions: number) =>
  partitions === 1 ? `${entrance.root}.>` : `${entrance.root}.${partition}.>`

/** The first token of a subject, which names the entrance. */
export const rootOf = (subject: string) => subject.slice(0, subject.indexOf('.'))

/** The camera is the last token of the subject, mapped or not. */
export const cameraOf = (subject: string) => subject.slice(subject.lastIndexOf('.') + 1)
