/**
 * Names of everything on NATS, in one place.
 *
 *     FRAMES   frames.<camera>  ->  frames.<partition>.<camera>    JPEG + headers (server mapping; unmapped servers keep frames.<camera>)
 *     DETECTIONS   detections.<camera>  ->  detections.<partition>.<camera>   JSON of cameras that read plates themselves, same mapping
 *     HITS     hits.<list>.<camera>                                JSON of Hit
 *     DEAD     dead.<camera>                                       the payload as it came + Dead-* headers
 *     core     reads.<camera>     JSON of a stored read, for live display only (not durable, may be dropped)
 *     core     status.engine.<instance>, one a second              JSON of EngineStatus
 *     core     identity.engine.<instance>, asked                   whether an engine goes by that name already
 *     KV       CAMERAS <camera>; HOTLISTS <list> (record of the list); PARTIALS <id>; PASSES <partition>.<camera> (checkpoint state);
 *              FLOORS <partition>, trial.<partition>; LEASES <partition>, engine.<instance> and schema (6 s); of DETECTIONS the partition is written detections-<partition>
 *     objects  HOTLIST_FILES <list>.<version>                      entries of the list, one JSON object a line
 */
export const STREAM = { frames: 'FRAMES', detections: 'DETECTIONS', hits: 'HITS', dead: 'DEAD' } as const
export const BUCKET = {
  cameras: 'CAMERAS',
  hotlists: 'HOTLISTS',
  partials: 'PARTIALS',
  passes: 'PASSES',
  floors: 'FLOORS',
  leases: 'LEASES',
} as const
/** In LEASES: the engine that brings the tables of the store up to date. */
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
export const identitySubject = (instance: string) => `identity.engine.${instance.replaceAll('.', '-')}`

export const detectionsSubject = (camera: string) => `detections.${camera}`

/**
 * Where cameras send to. The server maps a camera to the same partition on both, but each has a stream, a floor and
 * leases of its own.
 */
export interface Entrance {
  /** First token of the subject. */
  readonly root: 'frames' | 'detections'
  readonly stream: string
  /** What stands before the partition in keys of FLOORS, LEASES and PASSES. */
  readonly keys: string
}
export const ENTRANCE = {
  frames: { root: 'frames', stream: STREAM.frames, keys: '' },
  detections: { root: 'detections', stream: STREAM.detections, keys: 'detections-' },
} as const satisfies Record<string, Entrance>

/** The name of a partition in the buckets. */
export const partitionKey = (entrance: Entrance, partition: number) => `${entrance.keys}${partition}`

/** Beside the floor of a partition: what came of the tenures that began at it (trial.ts). */
export const kTrialPrefix = 'trial.'
export const trialKey = (partition: string) => `${kTrialPrefix}${partition}`

/** What the consumer of a partition listens to. On an unmapped server there is one partition and no token for it. */
export const partitionFilter = (entrance: Entrance, partition: number, partitions: number) =>
  partitions === 1 ? `${entrance.root}.>` : `${entrance.root}.${partition}.>`

/** The first token of a subject, and so the entrance it came by. */
export const rootOf = (subject: string) => subject.slice(0, subject.indexOf('.'))

/** The camera is the last token of the subject, mapped or not. */
export const cameraOf = (subject: string) => subject.slice(subject.lastIndexOf('.') + 1)
