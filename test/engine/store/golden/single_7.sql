CREATE DATABASE IF NOT EXISTS platestream ENGINE = Atomic;

CREATE TABLE IF NOT EXISTS platestream.schema_version (
  version UInt32,
  name String,
  applied_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree
ORDER BY version
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS platestream.reads (
  cell UInt32 CODEC(ZSTD(1)),
  ts DateTime64(3, 'UTC') CODEC(T64, ZSTD(1)),
  read_id UInt64 CODEC(Delta, ZSTD(1)),
  version UInt32 CODEC(T64, ZSTD(1)),
  plate String CODEC(ZSTD(1)),
  confidence Decimal(4, 3) CODEC(T64, ZSTD(1)),
  alternate_plates Array(String) CODEC(ZSTD(1)),
  alternate_confidences Array(Decimal(4, 3)) CODEC(ZSTD(1)),
  region LowCardinality(String) CODEC(ZSTD(1)),
  camera LowCardinality(String) CODEC(ZSTD(1)),
  stay_ms UInt64 CODEC(T64, ZSTD(1)),
  lat Decimal(9, 6) CODEC(T64, ZSTD(1)),
  lon Decimal(9, 6) CODEC(T64, ZSTD(1)),
  heading Nullable(UInt16) CODEC(ZSTD(1)),
  direction LowCardinality(String) CODEC(ZSTD(1)),
  height_px UInt16 CODEC(T64, ZSTD(1)),
  sharpness Decimal(3, 2) CODEC(T64, ZSTD(1)),
  contrast Decimal(3, 2) CODEC(T64, ZSTD(1)),
  glare Decimal(3, 2) CODEC(T64, ZSTD(1)),
  crop_segment LowCardinality(String) CODEC(ZSTD(1)),
  crop_offset UInt64 CODEC(T64, ZSTD(1)),
  crop_length UInt32 CODEC(T64, ZSTD(1)),
  picture_gap UInt64 CODEC(T64, ZSTD(1)),
  picture_length UInt32 CODEC(T64, ZSTD(1)),
  module LowCardinality(String) CODEC(ZSTD(1)),
  model LowCardinality(String) CODEC(ZSTD(1)),
  lists LowCardinality(String) CODEC(ZSTD(1)),
  feed LowCardinality(String) CODEC(ZSTD(1)),
  ts_last DateTime64(3, 'UTC') ALIAS addMilliseconds(ts, stay_ms),
  frames UInt32 ALIAS version
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toMonday(ts)
ORDER BY (cell, ts, read_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 1000, index_granularity = 1024, min_compress_block_size = 8192, max_compress_block_size = 65536, min_age_to_force_merge_seconds = 7200, min_age_to_force_merge_on_partition_only = 1;

CREATE TABLE IF NOT EXISTS platestream.reads_by_plate (
  plate String CODEC(ZSTD(1)),
  ts DateTime64(3, 'UTC') CODEC(T64, ZSTD(1)),
  read_id UInt64 CODEC(T64, ZSTD(1)),
  version UInt32 CODEC(T64, ZSTD(1)),
  confidence Decimal(4, 3) CODEC(T64, ZSTD(1)),
  region LowCardinality(String) CODEC(ZSTD(1)),
  camera LowCardinality(String) CODEC(ZSTD(1)),
  stay_ms UInt64 CODEC(T64, ZSTD(1)),
  lat Decimal(9, 6) CODEC(T64, ZSTD(1)),
  lon Decimal(9, 6) CODEC(T64, ZSTD(1)),
  heading Nullable(UInt16) CODEC(ZSTD(1)),
  direction LowCardinality(String) CODEC(ZSTD(1)),
  crop_segment LowCardinality(String) CODEC(ZSTD(1)),
  crop_offset UInt64 CODEC(T64, ZSTD(1)),
  crop_length UInt32 CODEC(T64, ZSTD(1)),
  gone UInt8 CODEC(ZSTD(1)),
  ts_last DateTime64(3, 'UTC') ALIAS addMilliseconds(ts, stay_ms),
  cell UInt32 ALIAS toUInt32(mortonEncode(toUInt32(greatest(0, least(65519, floor((toFloat64(lon) + 180) * 182)))), toUInt32(greatest(0, least(32759, floor((toFloat64(lat) + 90) * 182))))))
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toStartOfQuarter(ts)
ORDER BY (plate, ts, read_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 1000, index_granularity = 1024, min_compress_block_size = 8192, max_compress_block_size = 65536, min_age_to_force_merge_seconds = 7200, min_age_to_force_merge_on_partition_only = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS platestream.reads_by_plate_view TO platestream.reads_by_plate AS
SELECT plate, ts, read_id, version, confidence, region, camera, stay_ms, lat, lon, heading, direction, crop_segment, crop_offset, crop_length
FROM platestream.reads
WHERE plate != '';

CREATE TABLE IF NOT EXISTS platestream.hits (
  ts DateTime64(3, 'UTC') CODEC(T64, ZSTD(1)),
  hit_id String CODEC(ZSTD(1)),
  revision UInt32 CODEC(T64, ZSTD(1)),
  state LowCardinality(String) CODEC(ZSTD(1)),
  read_id UInt64 CODEC(T64, ZSTD(1)),
  plate String CODEC(ZSTD(1)),
  confidence Float32 CODEC(ZSTD(1)),
  alternate_plates Array(String) CODEC(ZSTD(1)),
  alternate_confidences Array(Float32) CODEC(ZSTD(1)),
  region LowCardinality(String) CODEC(ZSTD(1)),
  listed_plate String CODEC(ZSTD(1)),
  list LowCardinality(String) CODEC(ZSTD(1)),
  list_name LowCardinality(String) CODEC(ZSTD(1)),
  list_version LowCardinality(String) CODEC(ZSTD(1)),
  list_loaded_at DateTime64(3, 'UTC') CODEC(T64, ZSTD(1)),
  reason String CODEC(ZSTD(1)),
  priority LowCardinality(String) CODEC(ZSTD(1)),
  exact Bool CODEC(ZSTD(1)),
  probability Float32 CODEC(ZSTD(1)),
  tolerated_positions Array(UInt8) CODEC(ZSTD(1)),
  tolerated_read Array(String) CODEC(ZSTD(1)),
  tolerated_listed Array(String) CODEC(ZSTD(1)),
  tolerated_probabilities Array(Float32) CODEC(ZSTD(1)),
  camera LowCardinality(String) CODEC(ZSTD(1)),
  camera_name LowCardinality(String) CODEC(ZSTD(1)),
  cell UInt32 CODEC(ZSTD(1)),
  lat Float64 CODEC(ZSTD(1)),
  lon Float64 CODEC(ZSTD(1)),
  heading Nullable(Float32) CODEC(ZSTD(1)),
  direction LowCardinality(String) CODEC(ZSTD(1)),
  ts_last DateTime64(3, 'UTC') CODEC(T64, ZSTD(1)),
  published_at DateTime64(3, 'UTC') CODEC(T64, ZSTD(1)),
  crop_segment LowCardinality(String) CODEC(ZSTD(1)),
  crop_offset UInt64 CODEC(T64, ZSTD(1)),
  crop_length UInt32 CODEC(T64, ZSTD(1)),
  picture_segment LowCardinality(String) CODEC(ZSTD(1)),
  picture_offset UInt64 CODEC(T64, ZSTD(1)),
  picture_length UInt32 CODEC(T64, ZSTD(1)),
  module LowCardinality(String) CODEC(ZSTD(1)),
  model LowCardinality(String) CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(revision)
PARTITION BY toMonday(ts)
ORDER BY (ts, hit_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS platestream.ledger (
  camera LowCardinality(String) CODEC(ZSTD(1)),
  hour DateTime('UTC') CODEC(Delta, ZSTD(1)),
  part UInt64 CODEC(T64, ZSTD(1)),
  frames_in UInt64 CODEC(T64, ZSTD(1)),
  with_reads UInt64 CODEC(T64, ZSTD(1)),
  without_plate UInt64 CODEC(T64, ZSTD(1)),
  dead UInt64 CODEC(T64, ZSTD(1)),
  version UInt64 CODEC(T64, ZSTD(1))
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(hour)
ORDER BY (camera, hour, part)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 1000;

ALTER TABLE platestream.reads ADD COLUMN IF NOT EXISTS glare Decimal(3, 2) CODEC(T64, ZSTD(1)) AFTER contrast;

CREATE TABLE IF NOT EXISTS platestream.plates (
  plate String CODEC(ZSTD(1)),
  region LowCardinality(String) CODEC(ZSTD(1)),
  reads SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  first SimpleAggregateFunction(min, DateTime64(3, 'UTC')) CODEC(T64, ZSTD(1)),
  last SimpleAggregateFunction(max, DateTime64(3, 'UTC')) CODEC(T64, ZSTD(1))
)
ENGINE = AggregatingMergeTree
PARTITION BY tuple()
ORDER BY (plate, region)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 1000;

CREATE MATERIALIZED VIEW IF NOT EXISTS platestream.plates_view TO platestream.plates AS
SELECT plate AS plate, region AS region, count() AS reads, min(ts) AS first, max(ts) AS last
FROM platestream.reads
WHERE plate != ''
GROUP BY plate, region;

CREATE TABLE IF NOT EXISTS platestream.camera_hour (
  camera LowCardinality(String) CODEC(ZSTD(1)),
  hour DateTime('UTC') CODEC(Delta, ZSTD(1)),
  reads SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  confidence_sum SimpleAggregateFunction(sum, Float64) CODEC(ZSTD(1)),
  height_px_sum SimpleAggregateFunction(sum, Float64) CODEC(ZSTD(1)),
  sharpness_sum SimpleAggregateFunction(sum, Float64) CODEC(ZSTD(1)),
  contrast_sum SimpleAggregateFunction(sum, Float64) CODEC(ZSTD(1)),
  glare_sum SimpleAggregateFunction(sum, Float64) CODEC(ZSTD(1))
)
ENGINE = AggregatingMergeTree
PARTITION BY toMonday(hour)
ORDER BY (camera, hour)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 1000;

CREATE MATERIALIZED VIEW IF NOT EXISTS platestream.camera_hour_view TO platestream.camera_hour AS
SELECT camera AS camera, toDateTime(toStartOfHour(ts), 'UTC') AS hour, count() AS reads, sum(toFloat64(confidence)) AS confidence_sum, sum(toFloat64(height_px)) AS height_px_sum, sum(toFloat64(sharpness)) AS sharpness_sum, sum(toFloat64(contrast)) AS contrast_sum, sum(toFloat64(glare)) AS glare_sum
FROM platestream.reads
WHERE 1
GROUP BY camera, hour;

CREATE TABLE IF NOT EXISTS platestream.camera_cells (
  camera LowCardinality(String) CODEC(ZSTD(1)),
  cell UInt32 CODEC(ZSTD(1)),
  reads SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  first SimpleAggregateFunction(min, DateTime64(3, 'UTC')) CODEC(T64, ZSTD(1)),
  last SimpleAggregateFunction(max, DateTime64(3, 'UTC')) CODEC(T64, ZSTD(1))
)
ENGINE = AggregatingMergeTree
PARTITION BY tuple()
ORDER BY (camera, cell)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 1000;

CREATE MATERIALIZED VIEW IF NOT EXISTS platestream.camera_cells_view TO platestream.camera_cells AS
SELECT camera AS camera, cell AS cell, count() AS reads, min(ts) AS first, max(ts) AS last
FROM platestream.reads
WHERE 1
GROUP BY camera, cell;

CREATE TABLE IF NOT EXISTS platestream.reads_held (
  cell UInt32 CODEC(ZSTD(1)),
  ts DateTime64(3, 'UTC') CODEC(T64, ZSTD(1)),
  read_id UInt64 CODEC(Delta, ZSTD(1)),
  version UInt32 CODEC(T64, ZSTD(1)),
  plate String CODEC(ZSTD(1)),
  confidence Decimal(4, 3) CODEC(T64, ZSTD(1)),
  alternate_plates Array(String) CODEC(ZSTD(1)),
  alternate_confidences Array(Decimal(4, 3)) CODEC(ZSTD(1)),
  region LowCardinality(String) CODEC(ZSTD(1)),
  camera LowCardinality(String) CODEC(ZSTD(1)),
  stay_ms UInt64 CODEC(T64, ZSTD(1)),
  lat Decimal(9, 6) CODEC(T64, ZSTD(1)),
  lon Decimal(9, 6) CODEC(T64, ZSTD(1)),
  heading Nullable(UInt16) CODEC(ZSTD(1)),
  direction LowCardinality(String) CODEC(ZSTD(1)),
  height_px UInt16 CODEC(T64, ZSTD(1)),
  sharpness Decimal(3, 2) CODEC(T64, ZSTD(1)),
  contrast Decimal(3, 2) CODEC(T64, ZSTD(1)),
  glare Decimal(3, 2) CODEC(T64, ZSTD(1)),
  crop_segment LowCardinality(String) CODEC(ZSTD(1)),
  crop_offset UInt64 CODEC(T64, ZSTD(1)),
  crop_length UInt32 CODEC(T64, ZSTD(1)),
  picture_gap UInt64 CODEC(T64, ZSTD(1)),
  picture_length UInt32 CODEC(T64, ZSTD(1)),
  module LowCardinality(String) CODEC(ZSTD(1)),
  model LowCardinality(String) CODEC(ZSTD(1)),
  lists LowCardinality(String) CODEC(ZSTD(1)),
  feed LowCardinality(String) CODEC(ZSTD(1)),
  ts_last DateTime64(3, 'UTC') ALIAS addMilliseconds(ts, stay_ms),
  frames UInt32 ALIAS version
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYear(ts)
ORDER BY (cell, ts, read_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 1000, index_granularity = 1024, min_compress_block_size = 8192, max_compress_block_size = 65536;

CREATE TABLE IF NOT EXISTS platestream.purges (
  week Date CODEC(ZSTD(1)),
  version UInt32 CODEC(ZSTD(1)),
  state LowCardinality(String) CODEC(ZSTD(1)),
  who String CODEC(ZSTD(1)),
  reason String CODEC(ZSTD(1)),
  reads_before UInt64 CODEC(ZSTD(1)),
  reads_held UInt64 CODEC(ZSTD(1)),
  reads_after UInt64 CODEC(ZSTD(1)),
  digest UInt64 CODEC(ZSTD(1)),
  at DateTime64(3, 'UTC') CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY tuple()
ORDER BY (week)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS platestream.rollup_seals (
  week Date CODEC(ZSTD(1)),
  version UInt64 CODEC(ZSTD(1)),
  reads UInt64 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY tuple()
ORDER BY (week)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 1000;

TRUNCATE TABLE platestream.plates;

INSERT INTO platestream.plates (plate, region, reads, first, last)
SELECT plate AS plate, region AS region, count() AS reads, min(ts) AS first, max(ts) AS last
FROM platestream.reads FINAL
WHERE plate != ''
GROUP BY plate, region
SETTINGS max_bytes_before_external_group_by = 500000000, max_partitions_per_insert_block = 0;

TRUNCATE TABLE platestream.camera_hour;

INSERT INTO platestream.camera_hour (camera, hour, reads, confidence_sum, height_px_sum, sharpness_sum, contrast_sum, glare_sum)
SELECT camera AS camera, toDateTime(toStartOfHour(ts), 'UTC') AS hour, count() AS reads, sum(toFloat64(confidence)) AS confidence_sum, sum(toFloat64(height_px)) AS height_px_sum, sum(toFloat64(sharpness)) AS sharpness_sum, sum(toFloat64(contrast)) AS contrast_sum, sum(toFloat64(glare)) AS glare_sum
FROM platestream.reads FINAL
WHERE 1
GROUP BY camera, hour
SETTINGS max_bytes_before_external_group_by = 500000000, max_partitions_per_insert_block = 0;

TRUNCATE TABLE platestream.camera_cells;

INSERT INTO platestream.camera_cells (camera, cell, reads, first, last)
SELECT camera AS camera, cell AS cell, count() AS reads, min(ts) AS first, max(ts) AS last
FROM platestream.reads FINAL
WHERE 1
GROUP BY camera, cell
SETTINGS max_bytes_before_external_group_by = 500000000, max_partitions_per_insert_block = 0;
