import type { FastifyBaseLogger, FastifyInstance, FastifyTypeProvider, RawServerDefault } from 'fastify'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Static, TSchema } from '@sinclair/typebox'
import type { Desk } from '../../engine/mod.js'
import type { Archive } from '../records/archive.js'
import type { RegistryMirror } from '../status/registry_mirror.js'
import type { Authenticator } from '../access/authenticator.js'
import type { Hub } from '../live/hub.js'
import type { NatsLink } from '../live/nats_link.js'
import type { StatusBoard } from '../status/status_board.js'

/** TypeBox schemas of a route give the types of its handler. */
interface TypeBoxProvider extends FastifyTypeProvider {
  validator: this['schema'] extends TSchema ? Static<this['schema']> : unknown
  serializer: this['schema'] extends TSchema ? Static<this['schema']> : unknown
}

export type Api = FastifyInstance<RawServerDefault, IncomingMessage, ServerResponse, FastifyBaseLogger, TypeBoxProvider>

/** What routes may use. */
export interface Services {
  authenticator: Authenticator
  natsLink: NatsLink
  hub: Hub
  board: StatusBoard
  registry: RegistryMirror
  archive: Archive
  /** Questions about stored reads. */
  canvass: Desk
}
