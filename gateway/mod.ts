/** The gateway's public exports, for the command line and for tests. */
export { startGateway, type Gateway, type GatewayOptions } from './gateway.js'
/** The messages on `/ws/hits`, for consoles. Types only: a browser bundle takes nothing else from the gateway. */
export type {
  EngineState,
  ErrorMessage,
  GapMessage,
  GatewayMessage,
  HelloMessage,
  HitMessage,
  ReadMessage,
  RestartedMessage,
  StaleList,
  StatusMessage,
  SubscribeMessage,
} from './live/protocol.js'
export { engineMetrics } from './status/engine_metrics.js'
export { gatewayLog } from './log.js'
