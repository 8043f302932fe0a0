/** The door of the stream engine: what the gateway, the command line and the benchmarks import. */
export { backUp, readManifest, restore } from './backup/backup.js'
export {
  CanvassService,
  DictionarySearch,
  EXPORT_FORMATS,
  SqlPlateSearch,
  fileOf,
  questionList,
  type ExportFormat,
  type Gate,
  type Look,
  type PlateSearch,
  type QuestionKind,
  type SearchAsk,
  type Sql,
} from './canvass/mod.js'
export { deadLetter, deadLetters, drop, redrive, type DeadFilter, type DeadLetter } from './dead_letters/queue.js'
export { startEngine } from './engine.js'
export { CAMERA_ID, CameraSchema, parseCamera, type Camera } from './model/camera.js'
export { CameraRegistry } from './cameras/registry.js'
export type { Hit } from './model/hit.js'
export { CsvReader } from './hotlists/csv_reader.js'
export { HotListSchema, LIST_ID, normalisePlate, parseHotList, type HotList } from './hotlists/hotlist.js'
export { readHotListFile, type FixedColumn, type HotListColumns } from './hotlists/hotlist_file.js'
export {
  changeHotList,
  listHotLists,
  platesOfList,
  removeHotList,
  saveHotList,
  type HotListHead,
} from './hotlists/hotlist_store.js'
export { SearchPool } from './plate_search/search_pool.js'
export type { StandingPartial } from './hotlists/standing_partial.js'
export { listStanding, removeStanding, saveStanding } from './hotlists/standing_store.js'
export { connectNats, natsReason, type ConnectionLog } from './nats/connect.js'
export { findProgram, startPrivateServer } from './nats/server.js'
export { setupNats } from './nats/setup.js'
export { BUCKET, HEADER, STREAM, detectionsSubject, framesSubject, hitsSubject } from './nats/topology.js'
export { CameraPasses } from './passes/camera_passes.js'
export { OpenPass } from './passes/pass.js'
export type { CropRef } from './model/read.js'
export { decodeJpeg } from './recognize/decode.js'
export { warmUp } from './recognize/warm_up.js'
export { wholePlates } from './recognize/whole_plates.js'
export { dataPaths, loadSettings, type Settings } from './settings.js'
export type { EngineStatus, LiveRead } from './model/engine_status.js'
export { createClient, storeError, type ClickHouseClient } from './store/client.js'
export { SegmentReader } from './pictures/segments.js'
export { purgePictures } from './retention/picture_purge.js'
export { MAX_ROWS, StoreQueries } from './store/queries.js'
export { purgeProofs } from './retention/purge_proofs.js'
export { purgeWeek } from './retention/week_purge.js'
export { checkRollups, sealWeek } from './store/rollup_rebuild.js'
export { SINGLE, type Form } from './store/ddl.js'
export { SCHEMA_VERSION, migrate, schemaStatements, schemaVersion } from './store/migrate.js'
export type { StoredRead } from './store/tables.js'
export { WEEK_MS, mondayOf, partitionOf } from './store/week.js'
export { StoreWriter } from './store/writer.js'
