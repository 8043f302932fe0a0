/** The public interface of recorded feeds (MCAP): import, record, replay, inspect. */
export type { TimeSource } from './capture_time.js'
export { importFolder } from './folder_import.js'
export { importVideo } from './video_import.js'
export { inspectFeed, readAttachment } from './feed_index.js'
export { readFrames } from './feed_reader.js'
export { replay, type ReplaySummary } from './feed_replay.js'
export { FeedWriter } from './feed_writer.js'
