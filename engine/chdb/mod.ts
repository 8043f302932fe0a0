/** The public interface of the embedded ClickHouse server. */
export { DEFAULT_POOL_SIZE, threadsFor } from './server.js'
export { launchStore } from './launch.js'
