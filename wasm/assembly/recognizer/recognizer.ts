import { grow, place, placedEnd, stage } from './arena'
import { addMargin, closeUpBelow, configureCascade } from './cascade/cascade'
import { boxAt, coarseHeight, coarseWidth, lookAtFrame, sizeCoarseInput, sureBoxCount } from './cascade/coarse'
import { forgetQuads, lookAtBox, lookAtWhole, quadAt, quadScore, settleQuads } from './cascade/fine'
import {
  ABI_VERSION, CLASSES, MAX_CANDIDATES, MAX_COLUMNS, MAX_NETS, MAX_SIDE, MIN_SIDE, OK, RECORD_BYTES, RECORD_CONFIDENCE,
  REFUSED_MEMORY, REFUSED_NET, REFUSED_SIZE,
} from './layout'
import { Net, tensorAt } from './nets/net'
import { loadNet } from './nets/net_load'
import { bindNet, planNet } from './nets/net_plan'
import { runNet } from './nets/net_run'
import { buildPyramid, layPyramid, levelAddress } from './cascade/pyramid'
import { readPlate } from './reader/reader'
import { configureRegions, regionCount } from './reader/region'
import {
  addRegionLetter, addRegionShape, resetLetters, resetRegionShapes, resetSyntax, setShape,
} from './reader/syntax'

export * from './probe'

/**
 * The calls of recognizer.wasm, in the order the host makes them (wasm/recognizer/recognizer.ts):
 *
 *     once       abiVersion, stageBlob + addNet for each net, configure, margin.., syntax, shape.., regions,
 *                regionShape.., sealModel, warmUp a few times
 *     per frame  prepare(width, height), luma written at lumaAddress(), findBoxes; then lookAtFrameItself,
 *                lookAt(0..sureBoxes), lookAt(sureBoxes..), each followed by settle, readAt(0..), finish and, while
 *                that is 0, lookAgain; recordAt(0..)
 *
 * A count returned by one call is the number of valid indices of the next. No call traps on any picture.
 */

const KIND_COARSE: u32 = 1
const KIND_FINE: u32 = 2
const KIND_READER: u32 = 3
/** Only in models that name regions. */
const KIND_ISSUER: u32 = 4

const nets: usize = memory.data(4 * 64, 16)
const records: usize = memory.data(16 * 2048, 16)
const order: usize = memory.data(16 * 4, 16)

let samples: usize = 0
let arenaBase: usize = 0
let arenaBytes: usize = 0
let frameWidth: u32 = 0
let frameHeight: u32 = 0
let recordCount: u32 = 0

/** The net of a kind, 1 to 4. */
function netOf(kind: u32): Net {
  return changetype<Net>(nets + (kind - 1) * 64)
}

export function abiVersion(): u32 {
  return ABI_VERSION
}

/** A description of this module, one line for people. */
export function describe(): string {
  return 'platestream recognizer: int16 SIMD, Winograd F(2x2,3x3), CTC beam'
}

/** Allocates memory for a net's blob; 0 when memory is at its limit. */
export function stageBlob(bytes: usize): usize {
  return place(bytes)
}

/** Loads the net whose blob the host has copied to `blob`. OK, REFUSED_NET or REFUSED_MEMORY. */
export function addNet(blob: usize): i32 {
  const kind = load<u32>(blob)
  if (kind < 1 || kind > MAX_NETS) return REFUSED_NET
  return loadNet(netOf(kind), blob)
}

/** Sets the cascade's constants (docs/model-format.md) and clears the margins. */
export function configure(
  coarseFloor: f64, candidates: u32, coarseShare: f64, crowdFloor: f64, fineZoom: f64, fineFloor: f64, beam: u32,
  readFloor: f64, readSure: f64, readHopeless: f64, twoLineBelow: f64, closeUpBelow: f64, calibA: f64, calibB: f64,
): void {
  configureCascade(
    coarseFloor, candidates, coarseShare, crowdFloor, fineZoom, fineFloor, beam, readFloor, readSure, readHopeless,
    twoLineBelow, closeUpBelow, calibA, calibB)
}

/** Adds a margin at which plates are read; one to four are needed. */
export function margin(value: f64): void {
  addMargin(value)
}

/**
 * Sets the weight of a text's shape and the log share of unlisted shapes; `shape` then sets those with a share of their
 * own (syntax.ts).
 */
export function syntax(weight: f64, other: f32): void {
  resetSyntax(weight, other)
}

export function shape(bits: u32, log: f32): void {
  setShape(bits, log)
}

/**
 * Sets the number of regions that the issuer net names, the probability from which a region is named, the factor of the
 * logits, and the weights of the regions' shapes and letters.
 */
export function regions(count: u32, floor: f64, scale: f64, syntaxPart: f64, letterWeight: f64): void {
  configureRegions(count, floor, scale)
  resetRegionShapes(syntaxPart)
  resetLetters(letterWeight)
}

/** Adds the share of a shape among a region's plates; in ascending order of shapes, after `shape` and `regions`. */
export function regionShape(bits: u32, region: u32, share: f32): void {
  addRegionShape(bits, region, share)
}

/** Adds the frequency of a letter (class 11 to 36) in a region's serials, 1 is the average; after `regions`. */
export function regionLetter(letter: u32, region: u32, ratio: f32): void {
  addRegionLetter(letter, region, ratio)
}

/**
 * Plans the nets of fixed size and allocates the work area. All nets must have been added: three, and the issuer where
 * there are regions.
 */
export function sealModel(): i32 {
  const coarse = netOf(KIND_COARSE)
  const fine = netOf(KIND_FINE)
  const reader = netOf(KIND_READER)
  if (coarse.layerCount == 0 || fine.layerCount == 0 || reader.layerCount == 0) return REFUSED_NET
  planNet(fine, fine.nominalHeight, fine.nominalWidth)
  planNet(reader, reader.nominalHeight, reader.nominalWidth)
  const columns = tensorAt(reader, reader.layerCount)
  if (columns.width > MAX_COLUMNS / 2 || columns.channels < CLASSES) return REFUSED_NET
  let pixels = max(max(pixelsOf(coarse), pixelsOf(fine)), pixelsOf(reader))
  arenaBytes = max(fine.arenaBytes, reader.arenaBytes)
  if (regionCount > 0) {
    const issuer = netOf(KIND_ISSUER)
    if (issuer.layerCount == 0) return REFUSED_NET
    planNet(issuer, issuer.nominalHeight, issuer.nominalWidth)
    if (tensorAt(issuer, issuer.layerCount).channels < regionCount) return REFUSED_NET
    pixels = max(pixels, pixelsOf(issuer))
    arenaBytes = max(arenaBytes, issuer.arenaBytes)
  }
  samples = place(pixels * 4 + 16)
  if (samples == 0) return REFUSED_MEMORY
  arenaBase = placedEnd()
  return prepare(MIN_SIDE, MIN_SIDE)
}

/** Input pixels of a net; the coarse input has at least 32x32, even if its nominal size is less. */
function pixelsOf(net: Net): usize {
  return max<usize>(net.nominalHeight * net.nominalWidth, 1024)
}

/**
 * Makes room for a frame. OK, REFUSED_SIZE (sides 32 to 8192) or REFUSED_MEMORY; after a refusal no frame is loaded.
 */
export function prepare(width: u32, height: u32): i32 {
  if (width == frameWidth && height == frameHeight) return OK
  frameWidth = 0
  frameHeight = 0
  if (width < MIN_SIDE || height < MIN_SIDE || width > MAX_SIDE || height > MAX_SIDE) return REFUSED_SIZE
  const coarse = netOf(KIND_COARSE)
  sizeCoarseInput(coarse, width, height)
  planNet(coarse, coarseHeight, coarseWidth)
  // the arena never shrinks, so frames of alternating sizes do not move the pyramid back and forth
  arenaBytes = max(arenaBytes, coarse.arenaBytes)
  if (grow(layPyramid((arenaBase + arenaBytes + 63) & ~63, width, height)) != OK) return REFUSED_MEMORY
  bindNet(coarse, arenaBase)
  bindNet(netOf(KIND_FINE), arenaBase)
  bindNet(netOf(KIND_READER), arenaBase)
  if (regionCount > 0) bindNet(netOf(KIND_ISSUER), arenaBase)
  frameWidth = width
  frameHeight = height
  return OK
}

/** Where the host writes width * height bytes of luma, row by row. */
export function lumaAddress(): usize {
  return levelAddress(0)
}

/** Builds the pyramid and takes the coarse look; returns the number of boxes. */
export function findBoxes(): u32 {
  forgetQuads()
  recordCount = 0
  if (frameWidth == 0) return 0
  buildPyramid()
  return lookAtFrame(netOf(KIND_COARSE), frameWidth, frameHeight, samples)
}

/** Number of boxes that come first; the others are examined only when these have no text. */
export function sureBoxes(): u32 {
  return sureBoxCount
}

/** Discards the plates found so far, none of which had a text. */
export function lookAgain(): void {
  forgetQuads()
}

/** Takes a fine look at a box; 1 when it holds a plate. */
export function lookAt(box: u32): u32 {
  return lookAtBox(netOf(KIND_FINE), boxAt(box), samples) ? 1 : 0
}

/**
 * After findBoxes: a small frame may show one plate only. settle and readAt come next; the boxes follow only when that
 * has no text.
 */
export function lookAtFrameItself(): void {
  if (<f64>frameWidth * <f64>frameHeight < closeUpBelow) lookAtWhole(netOf(KIND_FINE), frameWidth, frameHeight, samples)
}

/** Drops duplicates; returns the number of plates to read. */
export function settle(): u32 {
  return settleQuads()
}

/** Reads a plate; 1 when it has a text. */
export function readAt(plate: u32): u32 {
  if (recordCount == MAX_CANDIDATES) return 0
  const record = records + recordCount * RECORD_BYTES
  if (!readPlate(netOf(KIND_READER), netOf(KIND_ISSUER), quadAt(plate), quadScore(plate), samples, record)) return 0
  store<u32>(order + 4 * recordCount, <u32>record)
  recordCount++
  return 1
}

/** Sorts the detections by confidence, on ties in the finder's order; returns their number. */
export function finish(): u32 {
  for (let i: u32 = 1; i < recordCount; i++) {
    const record = load<u32>(order + 4 * i)
    let at = i
    while (at > 0 && confidenceOf(load<u32>(order + 4 * (at - 1))) < confidenceOf(record)) {
      store<u32>(order + 4 * at, load<u32>(order + 4 * (at - 1)))
      at--
    }
    store<u32>(order + 4 * at, record)
  }
  return recordCount
}

@inline
function confidenceOf(record: usize): f32 {
  return load<f32>(record, RECORD_CONFIDENCE)
}

/** Address of a detection's record (layout.ts), best first. */
export function recordAt(index: u32): usize {
  return load<u32>(order + 4 * index)
}

/** Runs every net once on its present input, so that V8 has compiled the kernels before the first frame. */
export function warmUp(): void {
  runNet(netOf(KIND_COARSE))
  runNet(netOf(KIND_FINE))
  runNet(netOf(KIND_READER))
  if (regionCount > 0) runNet(netOf(KIND_ISSUER))
}

/**
 * For tests: plans the net of a kind for an input size, in scratch memory. Returns the address of its Net, 0 when
 * memory is at its limit.
 */
export function probeNet(kind: u32, height: u32, width: u32): usize {
  const net = netOf(kind)
  planNet(net, height, width)
  const base = stage(net.arenaBytes)
  if (base == 0) return 0
  bindNet(net, base)
  return changetype<usize>(net)
}
