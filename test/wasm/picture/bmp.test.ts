import t from 'tap'
import { decodePicture } from '../../../wasm/node.js'
import { decodeBmp } from '../../../wasm/internal_mod.js'
import { Random } from '../random.js'
import { Target } from './outcome.js'

const [WIDTH, HEIGHT] = [41, 36]
/** Grey levels that all depths can hold, by pixel. */
const level = (x: number, y: number, levels: number) => (x * 3 + y * 7) % levels

interface Kind {
  depth: number
  compression?: number
  /** 12 OS/2 1, 40 Windows 3, 108 Windows 4, 124 Windows 5. */
  header?: number
  down?: boolean
  masks?: [number, number, number]
}

/** A bitmap of grey levels, and the luma that it has. */
function bitmap({ depth, compression = 0, header = 40, down = false, masks }: Kind): { bytes: Buffer; luma: number[] } {
  const levels = depth <= 8 ? Math.min(1 << depth, 16) : 32
  const grey = (l: number) => Math.round((l * 255) / (levels - 1))
  const entry = header === 12 ? 3 : 4
  const palette = Buffer.alloc(depth <= 8 ? (1 << depth) * entry : 0)
  for (let i = 0; i < levels && depth <= 8; i++) palette.fill(grey(i), i * entry, i * entry + 3)
  const head = Buffer.alloc(14 + header)
  head.write('BM')
  head.writeUInt32LE(header, 14)
  const after = header === 40 && compression === 3 ? Buffer.alloc(12) : Buffer.alloc(0)
  if (header === 12) {
    head.writeUInt16LE(WIDTH, 18)
    head.writeUInt16LE(HEIGHT, 20)
    head.writeUInt16LE(depth, 24)
  } else {
    head.writeInt32LE(WIDTH, 18)
    head.writeInt32LE(down ? -HEIGHT : HEIGHT, 22)
    head.writeUInt16LE(depth, 28)
    head.writeUInt32LE(compression, 30)
    for (const [i, mask] of (masks ?? []).entries())
      (header === 40 ? after : head).writeUInt32LE(mask, header === 40 ? 4 * i : 54 + 4 * i)
  }
  head.writeUInt32LE(14 + header + after.length + palette.length, 10)
  const rows: Buffer[] = []
  const luma: number[] = []
  for (let y = 0; y < HEIGHT; y++) {
    const values = Array.from({ length: WIDTH }, (_, x) => level(x, y, levels))
    luma.push(...values.map((l) => (depth === 16 ? Math.round((l * 255) / 31) : grey(l))))
    rows.push(compression === 1 || compression === 2 ? runs(values, compression) : row(values, depth, grey, masks))
  }
  if (!down) rows.reverse()
  const end = compression === 1 || compression === 2 ? Buffer.from([0, 1]) : Buffer.alloc(0)
  return { bytes: Buffer.concat([head, after, palette, ...rows, end]), luma }
}

function row(values: number[], depth: number, grey: (l: number) => number, masks?: [number, number, number]): Buffer {
  const out = Buffer.alloc(4 * Math.ceil((values.length * depth) / 32))
  for (const [x, l] of values.entries()) {
    if (depth <= 8) out[(x * depth) >> 3]! |= l << (8 - depth - ((x * depth) & 7))
    else if (depth === 16)
      out.writeUInt16LE(masks ? (l << 11) | (l << 6) | ((l >> 4) << 5) | l : (l << 10) | (l << 5) | l, x * 2)
    else if (depth === 24) out.fill(grey(l), 3 * x, 3 * x + 3)
    else if (masks) out.writeUInt32LE((grey(l) * 0x1010100) >>> 0, 4 * x)
    else out.fill(grey(l), 4 * x, 4 * x + 3)
  }
  return out
}

/** A run, a literal of three, a run again, and single pixels. */
function runs(values: number[], compression: number): Buffer {
  const out: number[] = []
  const four = compression === 2
  for (let x = 0; x < values.length; ) {
    if (x % 2 === 0 && x + 3 <= values.length) {
      const [a, b, c] = values.slice(x, x + 3) as [number, number, number]
      out.push(0, 3, ...(four ? [(a << 4) | b, c << 4] : [a, b, c, 0]))
      x += 3
    } else {
      out.push(1, four ? values[x]! << 4 : values[x]!)
      x++
    }
  }
  return Buffer.from([...out, 0, 0])
}

const KINDS: Record<string, Kind> = {
  '1 bit': { depth: 1 },
  '2 bits': { depth: 2 },
  '4 bits': { depth: 4 },
  '8 bits': { depth: 8 },
  '8 bits, OS/2': { depth: 8, header: 12 },
  '24 bits, OS/2': { depth: 24, header: 12 },
  RLE8: { depth: 8, compression: 1 },
  RLE4: { depth: 4, compression: 2 },
  '16 bits': { depth: 16 },
  '16 bits, 565': { depth: 16, compression: 3, masks: [0xf800, 0x07e0, 0x001f] },
  '24 bits': { depth: 24 },
  '24 bits from the top': { depth: 24, down: true },
  '32 bits': { depth: 32 },
  '32 bits, masks of Windows 4': { depth: 32, compression: 3, header: 108, masks: [0xff000000, 0xff0000, 0xff00] },
  '32 bits, masks of Windows 3': { depth: 32, compression: 3, masks: [0xff000000, 0xff0000, 0xff00] },
  '24 bits, Windows 5': { depth: 24, header: 124 },
}

t.test('every kind of bitmap gives the luma of its pixels', async (t) => {
  for (const [name, kind] of Object.entries(KINDS)) {
    const { bytes, luma } = bitmap(kind)
    const target = new Target()
    t.same(await decodePicture(bytes, target), { width: WIDTH, height: HEIGHT, reduced: 1 }, name)
    const most = Math.max(...luma.map((value, i) => Math.abs(value - target.luma[i]!)))
    t.ok(most <= (name.includes('565') ? 3 : 0), `${name}: ${most} apart`)
  }
})

t.test('other kinds are refused by name; a cut file is read in part', async (t) => {
  const { bytes } = bitmap({ depth: 24 })
  const patched = (change: (b: Buffer) => void) => {
    const copy = Buffer.from(bytes)
    change(copy)
    return copy
  }
  for (const [number, says] of [
    [4, /holds a JPEG/],
    [5, /holds a PNG/],
    [11, /compression 11/],
  ] as const)
    await t.rejects(
      decodePicture(
        patched((b) => b.writeUInt32LE(number, 30)),
        new Target(),
      ),
      {
        code: 'ALPR_ERR_PICTURE_UNSUPPORTED',
        message: says,
      },
    )
  const target = new Target()
  t.match(await decodePicture(bytes.subarray(0, Math.floor(bytes.length * 0.7)), target), {
    damage: { code: 'ALPR_ERR_FRAME_TRUNCATED', reason: /of 36 rows/ },
  })
  t.ok(target.share > 0.6 && target.share < 0.8)
  await t.rejects(decodePicture(bytes.subarray(0, 400), new Target()), { code: 'ALPR_ERR_FRAME_TRUNCATED' })
  await t.rejects(
    decodePicture(
      patched((b) => b.writeInt32LE(2 ** 30, 18)),
      new Target(),
    ),
    {
      code: 'ALPR_ERR_FRAME_TOO_LARGE',
    },
  )
})

t.test('a damaged bitmap gives a picture or a code', (t) => {
  const random = new Random(5)
  const all = Object.values(KINDS).map((kind) => bitmap(kind).bytes)
  for (let i = 0; i < 3_000; i++) {
    const bytes = Buffer.from(random.pick(all))
    for (let k = random.whole(1, 4); k > 0; k--) bytes[random.whole(0, 80)] = random.whole(0, 255)
    bytes.writeUInt32LE(random.whole(1, 300), 18)
    try {
      decodeBmp(bytes.subarray(0, random.whole(2, bytes.length)), new Target())
    } catch (error) {
      if (!/^ALPR_ERR_/.test((error as { code?: string }).code ?? '')) throw error
    }
  }
  t.pass()
  t.end()
})
