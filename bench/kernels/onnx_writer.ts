/** Writes a small ONNX model (opset 13) with a minimum of protobuf: https://onnx.ai/onnx/repo-docs/IR.html */

export interface OnnxTensor {
  name: string
  dims: number[]
  values: Float32Array | Int8Array | Uint8Array | Int32Array
}

export interface OnnxNode {
  op: string
  inputs: string[]
  output: string
  attributes?: Record<string, number | number[] | string>
}

export interface OnnxValue {
  name: string
  dims: number[]
  type: 'float' | 'uint8'
}

const ELEMENT = { float: 1, uint8: 2, int8: 3, int32: 6, int64: 7 } as const
const OPSET = 13
const IR_VERSION = 8

/** Wire types of protobuf. */
const VARINT = 0
const BYTES = 2
const FIXED32 = 5

function varint(value: number): number[] {
  const bytes: number[] = []
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value & 127) | 128)
  return [...bytes, value]
}

const concat = (parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts))
const key = (field: number, wire: number) => varint(field * 8 + wire)
const integer = (field: number, value: number) => Uint8Array.from([...key(field, VARINT), ...varint(value)])
const bytes = (field: number, value: Uint8Array) =>
  concat([Uint8Array.from([...key(field, BYTES), ...varint(value.length)]), value])
const text = (field: number, value: string) => bytes(field, new TextEncoder().encode(value))
const real = (field: number, value: number) =>
  concat([Uint8Array.from(key(field, FIXED32)), new Uint8Array(Float32Array.of(value).buffer)])

function elementOf(values: OnnxTensor['values']): number {
  if (values instanceof Float32Array) return ELEMENT.float
  if (values instanceof Int8Array) return ELEMENT.int8
  return values instanceof Uint8Array ? ELEMENT.uint8 : ELEMENT.int32
}

function tensor({ name, dims, values }: OnnxTensor): Uint8Array {
  const raw = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
  return concat([...dims.map((d) => integer(1, d)), integer(2, elementOf(values)), text(8, name), bytes(9, raw)])
}

function attribute(name: string, value: number | number[] | string): Uint8Array {
  if (typeof value === 'string') return concat([text(1, name), text(4, value), integer(20, 3)])
  if (Array.isArray(value)) return concat([text(1, name), ...value.map((v) => integer(8, v)), integer(20, 7)])
  return Number.isInteger(value)
    ? concat([text(1, name), integer(3, value), integer(20, 2)])
    : concat([text(1, name), real(2, value), integer(20, 1)])
}

function node({ op, inputs, output, attributes = {} }: OnnxNode): Uint8Array {
  return concat([
    ...inputs.map((name) => text(1, name)),
    text(2, output),
    text(4, op),
    ...Object.entries(attributes).map(([name, value]) => bytes(5, attribute(name, value))),
  ])
}

function value({ name, dims, type }: OnnxValue): Uint8Array {
  const shape = concat(dims.map((d) => bytes(1, integer(1, d))))
  return concat([text(1, name), bytes(2, bytes(1, concat([integer(1, ELEMENT[type]), bytes(2, shape)])))])
}

/** The bytes of a model file. */
export function writeOnnx(nodes: OnnxNode[], tensors: OnnxTensor[], input: OnnxValue, output: OnnxValue): Uint8Array {
  const graph = concat([
    ...nodes.map((n) => bytes(1, node(n))),
    text(2, 'net'),
    ...tensors.map((t) => bytes(5, tensor(t))),
    bytes(11, value(input)),
    bytes(12, value(output)),
  ])
  return concat([integer(1, IR_VERSION), bytes(7, graph), bytes(8, integer(2, OPSET))])
}
