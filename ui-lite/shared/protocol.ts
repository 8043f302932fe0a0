/** The pages' only door to the gateway: the types of what goes over the wire. */
import type { HitMessage } from '../../gateway/mod.js'

export type {
  GapMessage,
  GatewayMessage,
  HelloMessage,
  HitMessage,
  ReadMessage,
  StatusMessage,
  SubscribeMessage,
} from '../../gateway/mod.js'

/** Where a picture lies in the archive. */
export type CropRef = NonNullable<HitMessage['crop']>
