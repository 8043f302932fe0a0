import { CLASSES } from '../classes.js'
import { ACTIVATION_MAX, MAX_CHANNELS, MAX_LAYERS } from './layout.js'
import { refuseModel } from './refuse_model.js'

/** Layer records and limits of docs/model-format.md. */
const HEADER_BYTES = 64
const RECORD_BYTES = 64
const NO_TENSOR = 0xffffffff
const INPUT_LIMITS = { least: 32, most: 1024, mostPixels: 1 << 20 }
const COARSE_OUTPUTS = 5
const FINE_OUTPUTS = 9
/** Half of what the module holds: a plate of two lines has the columns of both. */
const MAX_COLUMNS = 64

export interface LayerRecord {
  op: number
  source: number
  addend: number
  addendMode: number
  kernel: number
  strideY: number
  strideX: number
  channelsIn: number
  channelsOut: number
  relu: boolean
  raw: boolean
  weights: number
  multipliers: number
  biases: number
  addendMultiplier: number
}

/**
 * A tensor during the check of a net: channels, reduction of the input on each axis, whether it is raw, whether its
 * height has been averaged away.
 */
interface Shape {
  channels: number
  downY: number
  downX: number
  raw: boolean
  flat: boolean
}

/** The layer record at `index` of a net blob. */
export function readLayer(blob: Uint8Array, index: number): LayerRecord {
  const view = new DataView(blob.buffer, blob.byteOffset + HEADER_BYTES + index * RECORD_BYTES, RECORD_BYTES)
  const word = (i: number) => view.getUint32(i * 4, true)
  return {
    op: word(0),
    source: word(1),
    addend: word(2),
    addendMode: word(3),
    kernel: word(4),
    strideY: word(5),
    strideX: word(6),
    channelsIn: word(7),
    channelsOut: word(8),
    relu: (word(9) & 1) !== 0,
    raw: (word(9) & 2) !== 0,
    weights: word(10),
    multipliers: word(11),
    biases: word(12),
    addendMultiplier: view.getFloat32(52, true),
  }
}

/**
 * Validates everything in a net blob that the module trusts.
 * @param regions number of regions that the issuer must name
 * @returns the net's kind, 1 to 4
 * @throws ALPR_ERR_MODEL_INVALID
 */
export function checkNet(blob: Uint8Array, regions: number): number {
  if (blob.length < HEADER_BYTES) refuseModel(`a net of ${blob.length} bytes`)
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength)
  const [kind, height, width, layers] = [0, 4, 8, 12].map((at) => view.getUint32(at, true)) as [
    number,
    number,
    number,
    number,
  ]
  if (kind < 1 || kind > (regions > 0 ? 4 : 3)) refuseModel(`a net of kind ${kind}`)
  const { least, most, mostPixels } = INPUT_LIMITS
  if (!(height >= least && height <= most && width >= least && width <= most && height * width <= mostPixels)) {
    refuseModel(`net ${kind} wants an input of ${width}x${height}`)
  }
  if (kind < 3 && (height % 16 !== 0 || width % 16 !== 0))
    refuseModel(`net ${kind}: the input ${width}x${height} is not in multiples of 16`)
  if (layers < 1 || layers > MAX_LAYERS || HEADER_BYTES + layers * RECORD_BYTES > blob.length)
    refuseModel(`net ${kind} has ${layers} layers`)
  const shapes: Shape[] = [{ channels: 1, downY: 1, downX: 1, raw: false, flat: false }]
  for (let i = 0; i < layers; i++) {
    const layer = readLayer(blob, i)
    const where = `net ${kind}, layer ${i}`
    shapes.push(checkShape(layer, shapes, where))
    checkTables(layer, blob, where)
    if (layer.raw !== (i === layers - 1)) refuseModel(`${where}: the last layer, and only it, must be raw`)
  }
  checkOutput(kind, shapes.at(-1)!, Math.ceil(width / shapes.at(-1)!.downX), regions)
  return kind
}

function checkShape(layer: LayerRecord, shapes: Shape[], where: string): Shape {
  const source = shapes[layer.source]
  if (!source || source.raw) return refuseModel(`${where}: source tensor ${layer.source} does not exist or is raw`)
  if (layer.channelsIn !== source.channels)
    refuseModel(`${where}: ${layer.channelsIn} channels in, the source has ${source.channels}`)
  if (layer.channelsIn !== 1 && layer.channelsIn % 16 !== 0) refuseModel(`${where}: ${layer.channelsIn} channels in`)
  if (layer.channelsOut < 1 || layer.channelsOut > MAX_CHANNELS || (!layer.raw && layer.channelsOut % 8 !== 0)) {
    refuseModel(`${where}: ${layer.channelsOut} channels out`)
  }
  if (layer.op === 2) {
    if (layer.addendMode !== 0 || layer.relu || layer.channelsOut !== layer.channelsIn)
      refuseModel(`${where}: a mean has no addend and no ReLU, and keeps its channels`)
    return { ...source, flat: true, raw: layer.raw }
  }
  if (layer.op !== 1) refuseModel(`${where}: operation ${layer.op}`)
  if (layer.kernel !== 1 && layer.kernel !== 3) refuseModel(`${where}: kernel ${layer.kernel}`)
  if (![1, 2].includes(layer.strideY) || ![1, 2].includes(layer.strideX))
    refuseModel(`${where}: stride ${layer.strideY}, ${layer.strideX}`)
  const shape = {
    channels: layer.channelsOut,
    downY: source.downY * layer.strideY,
    downX: source.downX * layer.strideX,
    raw: layer.raw,
    flat: source.flat,
  }
  checkAddend(layer, shape, shapes, where)
  return shape
}

/** An addend has the output's channels and its size, or half of it (rounded up) when it is enlarged. */
function checkAddend(layer: LayerRecord, shape: Shape, shapes: Shape[], where: string): void {
  if (layer.addendMode === 0) {
    if (layer.addend !== NO_TENSOR) refuseModel(`${where}: an addend without a mode`)
    return
  }
  if (layer.addendMode > 2) refuseModel(`${where}: addend mode ${layer.addendMode}`)
  const addend = shapes[layer.addend]
  if (!addend || addend.raw) return refuseModel(`${where}: addend tensor ${layer.addend} does not exist or is raw`)
  const times = layer.addendMode
  const fits =
    addend.channels === shape.channels &&
    addend.downX === shape.downX * times &&
    addend.flat === shape.flat &&
    (shape.flat ? times === 1 : addend.downY === shape.downY * times)
  if (!fits) refuseModel(`${where}: the addend does not fit the output`)
  if (!Number.isFinite(layer.addendMultiplier)) refuseModel(`${where}: addend multiplier ${layer.addendMultiplier}`)
}

/** Tables lie inside the blob and are finite; no sum can overflow, not even four times the sum (Winograd). */
function checkTables(layer: LayerRecord, blob: Uint8Array, where: string): void {
  const inside = (offset: number, bytes: number) =>
    offset % 16 === 0 && offset >= HEADER_BYTES && offset + bytes <= blob.length
  const count = layer.op === 2 ? 1 : layer.channelsOut
  const tables = layer.op === 2 ? [layer.multipliers] : [layer.multipliers, layer.biases]
  for (const offset of tables) {
    if (!inside(offset, count * 4)) refuseModel(`${where}: a table lies outside the net`)
    const view = new DataView(blob.buffer, blob.byteOffset + offset, count * 4)
    for (let i = 0; i < count; i++)
      if (!Number.isFinite(view.getFloat32(i * 4, true)))
        refuseModel(`${where}: a table holds a value that is not finite`)
  }
  if (layer.op === 2) return
  const size = layer.kernel * layer.kernel * layer.channelsIn
  if (!inside(layer.weights, layer.channelsOut * size)) refuseModel(`${where}: the weights lie outside the net`)
  const weights = new Int8Array(blob.buffer, blob.byteOffset + layer.weights, layer.channelsOut * size)
  for (let c = 0; c < layer.channelsOut; c++) {
    let sum = 0
    for (let i = c * size; i < (c + 1) * size; i++) sum += Math.abs(weights[i]!)
    if (4 * ACTIVATION_MAX * sum >= 2 ** 31) refuseModel(`${where}: the sums of channel ${c} may overflow`)
  }
}

function checkOutput(kind: number, output: Shape, columns: number, regions: number): void {
  if (kind >= 3) {
    const [name, wanted] = kind === 3 ? ['reader', `${CLASSES} classes`] : ['issuer', `${regions} regions`]
    if (output.channels !== (kind === 3 ? CLASSES : regions) || !output.flat)
      refuseModel(`the ${name}'s output must be ${wanted} of height 1`)
    if (columns > MAX_COLUMNS) refuseModel(`the ${name} has ${columns} columns, the limit is ${MAX_COLUMNS}`)
    return
  }
  const outputs = kind === 1 ? COARSE_OUTPUTS : FINE_OUTPUTS
  if (output.channels !== outputs || output.downX !== 8 || output.downY !== 8 || output.flat) {
    refuseModel(`net ${kind} must give a map of stride 8 with ${outputs} channels`)
  }
}
