/** The gateway's door for the command line and for tests. */
export { startGateway, type Gateway, type GatewayOptions } from './gateway.js'
export { gatewayLog } from './log.js'
