/**
 * The door of the stream engine: what the gateway and the command line import. Plate data, stored or live, leaves
 * through `records/` only: every export of it takes an `Access` and asks an `AccessGate`. `createClient` and
 * `connectNats` are for the parts and for operators' commands that show no plate; `test/records_door.test.ts` lists who
 * uses them.
 */
export { restore } from './backup/backup.js'
export { readManifest } from './backup/manifest.js'
export { EXPORT_FORMATS, fileOf, type ExportFormat } from './canvass/export.js'
export type { ExportEnd } from './canvass/canvass_service.js'
export { questionList, type QuestionKind } from './canvass/questions.js'
export { DEAD_FULL } from './dead_letters/quota.js'
export { deadLetters, drop, findDeadLetter, redrive, type DeadFilter, type DeadLetter } from './dead_letters/queue.js'
export { startEngine } from './engine.js'
export { CAMERA_ID, CameraSchema, parseCamera, type Camera } from './model/camera.js'
export {
  PUSH_CREDENTIALS,
  PUSH_KINDS,
  type CameraPush,
  type PushCredentialKind,
  type PushKind,
} from './model/camera_push.js'
export { packPictures } from './model/pictured_message.js'
export { CameraRegistry } from './cameras/camera_registry.js'
export type { Hit } from './model/hit.js'
export { hitOf } from './model/hit_schema.js'
export { HotListSchema, LIST_ID, parseHotList, ruleVersion, type HotList } from './hotlists/hotlist.js'
export type { ColumnUse, FixedColumn, HotListColumns } from './hotlists/hotlist_columns.js'
export { guardShrink } from './hotlists/list_guard.js'
export type { ListChange } from './hotlists/list_change.js'
export type { DateOrder } from './hotlists/list_dates.js'
export { EntrySorter } from './hotlists/entry_sorter.js'
export { leadOf } from './hotlists/list_rules.js'
export { readHotListFile, type HotListFile } from './hotlists/hotlist_file.js'
export {
  changeHotList,
  findHotList,
  listHotLists,
  removeHotList,
  saveHotList,
  type HotListHead,
} from './hotlists/hotlist_store.js'
export type { StandingPartial } from './hotlists/standing_partial.js'
export { removeStandingPartial, saveStandingPartial } from './hotlists/standing_partial_store.js'
export { connectNats, type ConnectionLog } from './nats/connect.js'
export { isTooLarge, natsReason } from './nats/errors.js'
export { followKeys } from './nats/kv_watch.js'
export { findProgram, startPrivateServer } from './nats/server.js'
export { checkPartitions } from './nats/mapping_probe.js'
export { mappingLines } from './nats/partitioning.js'
export { keepsCopies, setupNats } from './nats/setup.js'
export { changePartitions, followPartitions, partitionsNow } from './partition/change_partitions.js'
export { BUCKET, HEADER, STREAM, detectionsSubject, framesSubject, hitsSubject } from './nats/topology.js'
export { pictureAddress, type CropRef } from './model/read.js'
export { decodeJpeg } from './recognize/decode.js'
export type { IngestStatus, LiveCameraState, ViewFault } from './model/ingest_status.js'
export { LiveSchema, type LiveCamera } from './model/live_camera.js'
export { dataPaths, loadSettings, type Settings } from './settings.js'
export type { EngineStatus, HeldPartition, LiveRead } from './model/engine_status.js'
export { createClient, storeError, type ClickHouseClient } from './store/client.js'
export { purgePictures } from './retention/picture_purge.js'
export { purgeProofs } from './retention/purge_proofs.js'
export { purgeWeek } from './retention/week_purge.js'
export { checkRollups, sealWeek } from './store/rollup_rebuild.js'
export { formOf } from './store/ddl.js'
export { SCHEMA_VERSION, migrate, schemaStatements, schemaVersion } from './store/migrate.js'
export { WEEK_MS, mondayOf, partitionOf } from './store/week.js'
export {
  NOT_STATED,
  requireAccess,
  type Access,
  type AccessEnd,
  type AccessGate,
  type AccessKind,
  type AccessRequest,
  type Ticket,
} from './records/access.js'
export { readDeadLetter, readPartials, recordFeed, writeBackup } from './records/gated.js'
export { LogGate, type AccessLine } from './records/log_gate.js'
export { openRecords, type OpenRecords, type RecordsOptions } from './records/open_records.js'
export { Records } from './records/records.js'
export type {
  HitRecord,
  HitsQuery,
  LedgerEntry,
  LedgerQuery,
  Page,
  ReadRecord,
  ReadsQuery,
  StoredRecords,
} from './records/stored_records.js'
export { WHOLE, type Scope } from './store/scope.js'
export { faultText, parserOf, schemaFault, type SchemaError, type SchemaFault } from './runtime/validate.js'
export { normalisePlate } from '../wasm/mod.js'
