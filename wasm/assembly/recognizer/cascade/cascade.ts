import { MAX_BEAM, MAX_CANDIDATES, MAX_MARGINS } from '../layout'

/** The constants of the cascade, from the model's metadata (docs/model-format.md). */
export let coarseFloor: f64 = 0.1
export let candidates: u32 = 3
export let coarseShare: f64 = 0
export let crowdFloor: f64 = 1
export let fineZoom: f64 = 2
export let fineFloor: f64 = 0.2
export let beamWidth: u32 = 8
export let readFloor: f64 = 0.3
export let readSure: f64 = 1
export let readHopeless: f64 = 0
export let twoLineBelow: f64 = 0
/** A frame with fewer pixels may show one plate only. */
export let closeUpBelow: f64 = 0
export let calibrationA: f64 = 1
export let calibrationB: f64 = 0
export let marginCount: u32 = 0

const margins: usize = memory.data(4 * 8, 8)

/** Clamps counts to the module's limits. */
export function configureCascade(
  floor: f64, count: u32, share: f64, crowd: f64, zoom: f64, fine: f64, beam: u32, read: f64, sure: f64, hopeless: f64,
  twoLine: f64, closeUp: f64, a: f64, b: f64,
): void {
  coarseFloor = floor
  candidates = min(count, MAX_CANDIDATES)
  coarseShare = share
  crowdFloor = crowd
  fineZoom = zoom
  fineFloor = fine
  beamWidth = min(max<u32>(beam, 1), MAX_BEAM)
  readFloor = read
  readSure = sure
  readHopeless = hopeless
  twoLineBelow = twoLine
  closeUpBelow = closeUp
  calibrationA = a
  calibrationB = b
  marginCount = 0
}

/** Adds a margin at which plates are read; more than 4 are ignored. */
export function addMargin(margin: f64): void {
  if (marginCount < MAX_MARGINS) store<f64>(margins + 8 * marginCount++, margin)
}

@inline
export function marginAt(index: u32): f64 {
  return load<f64>(margins + 8 * index)
}

@inline
export function sigmoid(x: f64): f64 {
  return 1 / (1 + Math.exp(-x))
}
