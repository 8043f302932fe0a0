/** The exports of matcher.wasm, documented in wasm/assembly/matcher/. Addresses are in bytes. */
export interface MatcherExports extends Record<string, unknown> {
  abiVersion(): number
  describe(): number
  heapBase(): number
  attach(tables: number, workspace: number): void
  // builds
  beginLoad(records: number, regions: number): void
  loadRows(from: number, end: number): void
  loadLines(from: number, end: number, hour: number, odd: number): number
  loadedRecords(): number
  setLoadedRecords(count: number): void
  loadedRegions(): number
  setLoadedRegions(count: number): void
  refusedRows(): number
  consumedBytes(): number
  countDigits(records: number, from: number, to: number, counts: number): void
  placeDigits(counts: number, pass: number, total: number): number
  scatter(records: number, target: number, from: number, to: number, counts: number, pass: number): void
  joinRecords(records: number, from: number, end: number, to: number): number
  firstFrom(records: number, count: number, key: bigint): number
  fillTriples(at: number): void
  countLarge(records: number, from: number, to: number): number
  beginBlocks(
    directory: number,
    planes: number,
    lasts: number,
    firsts: number,
    regions: number,
    counts: number,
    codes: number,
    large: number,
    capacity: number,
    hour: number,
  ): void
  addBlock(records: number, count: number, length: number): void
  blockCount(): number
  planesBytes(): number
  // dictionaries
  openDictionary(header: number): void
  blocksNow(): number
  longsNow(): number
  shareFloor(address: number): void
  beginScan(pattern: number): void
  scanLongs(from: number, to: number, limit: number): number
  scanBlocks(from: number, to: number, limit: number): number
  settleResults(limit: number): number
  workDone(): number
  matchedPlates(): number
  resultsAddress(): number
  resultsHeld(): number
  resultsSoFar(): number
  plateCodes(slot: number, codes: number): number
  lastOf(slot: number): number
  firstOf(slot: number): number
  regionOf(slot: number): number
  countOf(slot: number): number
  keyOf(text: number, length: number): bigint
  findPlate(key: bigint, codes: number, length: number, region: number, out: number): number
  touchPlate(slot: number, hour: number): void
  freshWithRoom(length: number): number
  freshBytes(length: number): number
  addFresh(planes: number, length: number): number
  appendPlate(block: number, codes: number, length: number, region: number, hour: number): number
  addLongChunk(at: number): number
  appendLong(codes: number, length: number, region: number, count: number, first: number, last: number): number
  drainBlock(block: number, out: number, codes: number): number
  // hot lists
  openIndex(keys: number, lasts: number, nexts: number, filter: number, capacity: number): void
  addEntries(from: number, end: number, first: number, skipped: number): number
  readAddress(): number
  checkRead(count: number, extra: number, threshold: number, scratch: number): number
  matchesAddress(): number
  textsWalked(): number
  // benchmarks
  memoryScan(from: number, end: number): number
}
