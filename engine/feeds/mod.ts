/** The door of recorded feeds (MCAP): import, replay, record. */
export type { TimeSource } from './capture_time.js'
export { importFolder } from './from_folder.js'
export { importVideo } from './from_video.js'
export { inspectFeed, readFrames } from './reader.js'
export { replay, type ReplaySummary } from './replay.js'
export { FeedWriter } from './writer.js'
