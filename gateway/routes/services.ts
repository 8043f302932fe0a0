import type { CanvassService } from '../../engine/mod.js'
import type { Authenticator } from '../access/authenticator.js'
import type { Hub } from '../live/hub.js'
import type { NatsLink } from '../live/nats_link.js'
import type { Archive } from '../records/archive.js'
import type { RegistryMirror } from '../status/registry_mirror.js'
import type { StatusBoard } from '../status/status_board.js'

/** What routes may use. */
export interface Services {
  authenticator: Authenticator
  natsLink: NatsLink
  hub: Hub
  board: StatusBoard
  registry: RegistryMirror
  archive: Archive
  /** Questions about stored reads. */
  canvass: CanvassService
}
