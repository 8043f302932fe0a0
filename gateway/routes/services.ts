import type { Records } from '../../engine/mod.js'
import type { Authenticator } from '../access/authenticator.js'
import type { PublicAddress } from '../access/public_address.js'
import type { PushCounts } from '../push/counts.js'
import type { Hub } from '../live/hub.js'
import type { NatsLink } from '../live/nats_link.js'
import type { RegistryMirror } from '../status/registry_mirror.js'
import type { MissingLists } from '../status/missing_lists.js'
import type { StreamRooms } from '../status/stream_room.js'
import type { IngestBoard } from '../status/ingest_board.js'
import type { StatusBoard } from '../status/status_board.js'

/** What routes may use. */
export interface Services {
  authenticator: Authenticator
  address: PublicAddress
  natsLink: NatsLink
  hub: Hub
  board: StatusBoard
  ingest: IngestBoard
  registry: RegistryMirror
  missing: MissingLists
  rooms: StreamRooms
  /** The only way to plate data, stored or live. */
  records: Records
  /** Of the door for cameras that push. */
  push: PushCounts
}
