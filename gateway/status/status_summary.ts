import type { LiveFigures } from '../live/hub.js'
import type { NatsLink } from '../live/nats_link.js'
import type { StatusSummary } from '../live/protocol.js'
import type { IngestBoard } from './ingest_board.js'
import type { MissingLists } from './missing_lists.js'
import type { RegistryMirror } from './registry_mirror.js'
import type { StatusBoard } from './status_board.js'

export interface StatusSources {
  natsLink: NatsLink
  board: StatusBoard
  registry: RegistryMirror
  missing: MissingLists
  ingest: IngestBoard
}

/** Most missing lists, and most cameras, that consoles get each second. */
const MAX_MISSING = 20

/** The state of the system that consoles show: hits, delay, rates, engines and hot lists. */
export function summarize(
  { natsLink, board, registry, missing, ingest }: StatusSources,
  live: LiveFigures,
): StatusSummary {
  const { feed, consoles } = live
  const reason = natsLink.state.connected ? feed.reason : `NATS: ${natsLink.state.reason}`
  return {
    type: 'status',
    at: new Date().toISOString(),
    hits: feed.live ? { live: true } : { live: false, reason, since: new Date(feed.since).toISOString() },
    delayMs: live.delayMs ?? milliseconds(board.largest('delay_seconds')),
    framesPerS: board.rate('frames_total'),
    readsPerS: board.rate('reads_total'),
    framesWaiting: board.sumOf('frames_waiting'),
    consoles,
    engines: board.engines(),
    lists: registry.lists().length,
    staleLists: registry.staleLists().map(({ id, name, loadedAt }) => ({ id, name, loadedAt })),
    missingLists: missing.all().slice(0, MAX_MISSING),
    cameraFaults: ingest.faults().slice(0, MAX_MISSING),
  }
}

const milliseconds = (seconds: number | undefined): number | undefined =>
  seconds === undefined ? undefined : Math.round(seconds * 1_000)
