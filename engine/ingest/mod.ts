/** The door of live cameras: a process that pulls their frames. */
export { startIngest } from './ingest.js'
