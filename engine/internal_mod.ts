/** For the tests outside test/engine: the parts behind the doors. */
export { hourOf } from './model/ledger.js'
export { Metrics } from './runtime/metrics.js'
export type { PrivateServer } from './nats/server.js'
export { statusSubject } from './nats/topology.js'
export type { ClientOptions } from './store/client.js'
export { SegmentWriter } from './pictures/segment_writer.js'
export type { LaunchOptions, LaunchedStore } from './chdb/launch.js'
