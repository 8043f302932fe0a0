import t, { type Test } from 'tap'
import type { TestNet } from './psm_writer.js'
import { runNetInWasm } from './probe.js'
import { Random } from '../random.js'
import { meanHeight, randomConv, randomFinder, randomReader } from './random_nets.js'
import { runNetTwin, type TwinTensor } from '../twin/net.js'

function randomInput(random: Random, height: number, width: number): TwinTensor {
  const values = Int16Array.from({ length: height * width }, () =>
    Math.max(-2048, Math.min(2048, Math.round(700 * random.normal()))),
  )
  return { height, width, channels: 1, values }
}

async function same(t: Test, name: string, net: TestNet, input: TwinTensor, runs = 1): Promise<void> {
  const twin = runNetTwin(net, input).at(-1)!
  const wasm = await runNetInWasm(net, input, runs)
  t.same([wasm.height, wasm.width, wasm.channels], [twin.height, twin.width, twin.channels], `${name}: shape`)
  let different = 0
  let clamped = 0
  for (let i = 0; i < twin.values.length; i++) {
    if (!Object.is(wasm.values[i]! + 0, twin.values[i]! + 0)) different++
    if (Math.abs(twin.values[i]!) === 8191) clamped++
  }
  t.equal(different, 0, `${name}: ${twin.values.length} values are bit-equal (${clamped} at the clamp)`)
}

t.setTimeout(120_000)

t.test('the first layer (one channel) is exact for any stride and size', async (t) => {
  const random = new Random(1)
  for (let i = 0; i < 12; i++) {
    const options = {
      kernel: random.pick([1, 3] as const),
      strideY: random.whole(1, 2),
      strideX: random.whole(1, 2),
      relu: random.next() < 0.5,
    }
    const layer = randomConv(random, 0, 1, 8 * random.whole(1, 4), options)
    const input = randomInput(random, random.whole(1, 19), random.whole(1, 19))
    await same(
      t,
      `${input.height}x${input.width} -> ${layer.channelsOut}, ${JSON.stringify(options)}`,
      { kind: 1, height: 32, width: 32, layers: [layer] },
      input,
    )
  }
})

t.test('convolutions are exact for all kernels, strides, channels, odd sizes, addends, raw and ReLU', async (t) => {
  const random = new Random(2)
  for (let i = 0; i < 60; i++) {
    const wide = 16 * random.whole(1, 5)
    const out = 8 * random.whole(1, 8)
    const kernel = random.pick([1, 3] as const)
    const [strideY, strideX] = random.pick([
      [1, 1],
      [1, 1],
      [2, 2],
      [2, 1],
      [1, 2],
    ] as const)
    const relu = random.next() < 0.5
    const input = randomInput(random, random.whole(1, 23), random.whole(1, 23))
    const first = randomConv(random, 0, 1, wide, { relu: false })
    const mode = random.whole(0, 2) as 0 | 1 | 2
    const layers = [first]
    if (mode === 1) layers.push(randomConv(random, 0, 1, out, { strideY, strideX, relu: false }))
    if (mode === 2)
      layers.push(
        randomConv(random, 0, 1, 16, { strideY, strideX }),
        randomConv(random, 2, 16, out, { strideY: 2, strideX: 2, relu: false }),
      )
    const addend = layers.length
    const raw = random.next() < 0.3
    const last = raw && mode === 0 ? random.whole(1, 41) : out
    layers.push(
      randomConv(random, 1, wide, last, {
        kernel,
        strideY,
        strideX,
        relu,
        raw,
        ...(mode ? { addend, addendMode: mode } : {}),
      }),
    )
    await same(
      t,
      `${input.height}x${input.width}x${wide} -> ${last}, kernel ${kernel}, stride ${strideY},${strideX}, ` +
        `addend ${mode}, raw ${raw}, ReLU ${relu}`,
      { kind: 1, height: 32, width: 32, layers },
      input,
    )
  }
})

t.test('extreme weights and activations do not overflow in Winograd form, with any strides', async (t) => {
  const random = new Random(3)
  const input = {
    height: 9,
    width: 11,
    channels: 1,
    values: Int16Array.from({ length: 99 }, () => random.pick([-2048, 2048])),
  }
  const first = randomConv(random, 0, 1, 32, { relu: false })
  first.multipliers.fill(100)
  for (const [strideY, strideX] of [
    [1, 1],
    [1, 2],
    [2, 1],
    [2, 2],
  ] as const) {
    const second = randomConv(random, 1, 32, 16, { strideY, strideX, relu: false })
    second.weights = second.weights!.map((w) => (w >= 0 ? 127 : -127))
    // 32 * 9 * 127 = 36,576: about half of the bound, with every activation at its limit
    await same(
      t,
      `all at the limits, stride ${strideY},${strideX}`,
      { kind: 1, height: 32, width: 32, layers: [first, second] },
      input,
    )
  }
})

t.test('with the most channels a block of tiles is limited to the work area', async (t) => {
  const random = new Random(6)
  for (const [strideY, strideX] of [
    [1, 1],
    [2, 2],
  ] as const) {
    const layers = [
      randomConv(random, 0, 1, 256),
      randomConv(random, 1, 256, 24, { strideY, strideX }),
      randomConv(random, 1, 256, 24, { kernel: 1, strideY, strideX }),
    ]
    const input = randomInput(random, 7, 45)
    await same(
      t,
      `3x3, stride ${strideY},${strideX}`,
      { kind: 1, height: 32, width: 64, layers: layers.slice(0, 2) },
      input,
    )
    await same(
      t,
      `1x1, stride ${strideY},${strideX}`,
      { kind: 1, height: 32, width: 64, layers: [layers[0]!, layers[2]!] },
      input,
    )
  }
})

t.test('the mean over the height is exact', async (t) => {
  const random = new Random(4)
  for (const height of [1, 3, 7]) {
    const input = randomInput(random, height, 13)
    await same(
      t,
      `height ${height}`,
      {
        kind: 1,
        height: 32,
        width: 32,
        layers: [randomConv(random, 0, 1, 48, { relu: false }), meanHeight(1, 48, height)],
      },
      input,
    )
  }
})

t.test('whole nets are exact, also when run twice in the same memory', async (t) => {
  const random = new Random(5)
  await same(t, 'finder at its nominal size', randomFinder(random, 1, 64, 96, 5), randomInput(random, 64, 96), 2)
  await same(
    t,
    'finder at a size not divisible by 32',
    randomFinder(random, 1, 64, 96, 5),
    randomInput(random, 48, 112),
    2,
  )
  await same(t, 'fine finder', randomFinder(random, 2, 32, 64, 9), randomInput(random, 32, 64), 2)
  await same(t, 'reader', randomReader(random), randomInput(random, 32, 64), 2)
})
