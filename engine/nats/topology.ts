/**
 * Names of everything on NATS, in one place.
 *
 *     FRAMES   frames.<camera>  ->  frames.<partition>.<camera>    JPEG + headers (server mapping; unmapped servers keep frames.<camera>)
 *     HITS     hits.<list>.<camera>                                JSON of Hit
 *     DEAD     dead.<camera>                                       the payload as it came + Dead-* headers
 *     core     reads.<camera>     JSON of a stored read, for live display only (not durable, may be dropped)
 *     core     status.engine.<instance>, one a second              JSON of EngineStatus
 *     KV       CAMERAS <camera>; HOTLISTS <list> (record of the list); PARTIALS <id>; PASSES <camera> (checkpoint state);
 *              FLOORS <partition>; LEASES <partition> (8 s)
 *     objects  HOTLIST_FILES <list>.<version>                      entries of the list, one JSON object a line
 */
export const STREAM = { frames: 'FRAMES', hits: 'HITS', dead: 'DEAD' } as const
export const BUCKET = { cameras: 'CAMERAS', hotlists: 'HOTLISTS', partials: 'PARTIALS', passes: 'PASSES', floors: 'FLOORS', leases: 'LEASES' } as const
export const OBJECTS = { hotlistFiles: 'HOTLIST_FILES' } as const

export const HEADER = {
  capturedAt: 'Captured-At', position: 'Position', heading: 'Heading', speed: 'Speed', feed: 'Feed', msgId: 'Nats-Msg-Id',
  deadReason: 'Dead-Reason', deadMessage: 'Dead-Message', deadSubject: 'Dead-Subject', deadSequence: 'Dead-Sequence', deadAt: 'Dead-At',
} as const

/** A publisher always uses this subject; the server adds the partition. */
export const framesSubject = (camera: string) => `frames.${camera}`
export const hitsSubject = (list: string, camera: string) => `hits.${list}.${camera}`
export const deadSubject = (camera: string) => `dead.${camera}`
export const readsSubject = (camera: string) => `reads.${camera}`
export const statusSubject = (instance: string) => `status.engine.${instance.replaceAll('.', '-')}`

/** What the consumer of a partition listens to. On an unmapped server there is one partition and no token for it. */
export const partitionFilter = (partition: number, partitions: number) => (partitions === 1 ? 'frames.>' : `frames.${partition}.>`)

/** The camera is the last token of the subject, mapped or not. */
export const cameraOf = (subject: string) => subject.slice(subject.lastIndexOf('.') + 1)
