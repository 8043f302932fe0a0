import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { inspectFeed, readAttachment, readFrames } from '../../../engine/feeds/mod.js'
import { parsePlan, renderFeed } from '../../../bench/scenes/mod.js'
import { decodePicture } from '../../../wasm/node.js'
import { loadWasmFile, Recognizer } from '../../../wasm/internal_mod.js'
import { call } from '../../cli/run.js'

interface Pass {
  camera: string
  plate: string | null
  first: string
  last: string
  direction: string
  frames: { t: string; width: number; quad: [number, number][] }[]
}

/** Share of the passes of a small feed by day that must be read exactly. */
const kLeastShare = 0.8

async function render(t: Test, text: string) {
  const folder = t.testdir()
  const [out, truth] = [join(folder, 'x.mcap'), join(folder, 'x.truth.json')]
  const summary = await renderFeed(parsePlan(text, 'x.yaml'), { out, truth, recipe: { name: 'x.yaml', text } })
  return {
    out,
    summary,
    bytes: readFileSync(out),
    truth: readFileSync(truth, 'utf8'),
    passes: (JSON.parse(readFileSync(truth, 'utf8')) as { passes: Pass[] }).passes,
  }
}

const area = (quad: [number, number][]) =>
  Math.abs(
    quad.reduce((sum, [x, y], i) => {
      const [u, v] = quad[(i + 1) % 4]!
      return sum + x * v - u * y
    }, 0),
  ) / 2
const middle = (quad: [number, number][]) => quad.reduce((sum, [, y]) => sum + y / 4, 0)

t.test('the same plan yields the same bytes, and another seed yields others', async (t) => {
  const text =
    'seed: 4\nduration: 1s\nfps: 3\nsize: 480x320\n' +
    'cameras: [{ id: a, rain: 0.5, parked: 1 }, { id: b, light: infra-red, traffic: 40 }]\n'
  const other = await render(t, text.replace('seed: 4', 'seed: 5'))
  const once = await render(t, text)
  const again = await render(t, text)
  t.ok(once.bytes.equals(again.bytes) && once.truth === again.truth)
  t.notOk(once.bytes.equals(other.bytes))
  const info = await inspectFeed(once.out)
  t.match(info, { total: 6, cutOff: false })
  t.same(
    info.cameras.map((camera) => camera.id),
    ['a', 'b'],
  )
  t.equal(Buffer.from((await readAttachment(once.out, 'x.yaml'))!).toString(), text, 'the plan is kept in the feed')
  const times: number[] = []
  for await (const frame of readFrames(once.out)) times.push(frame.capturedAt)
  t.same(
    times,
    [...times].sort((a, b) => a - b),
    'frames are in the order of their times',
  )
})

t.test(
  'most passes of a small feed by day are read exactly, and the truth locates the plates',
  { timeout: 120_000 },
  async (t) => {
    const recipe =
      'seed: 11\nduration: 10s\nspeed: [20, 30]\ntraffic: 36\nnoPlate: 0.15\n' +
      'cameras: [{ id: near, direction: approaching, fps: 3 }, { id: kerb, parked: 1, traffic: 0, fps: 0.2 }]\n'
    const { out, passes } = await render(t, recipe)
    for (const { direction, frames } of passes.filter(
      (pass) => pass.direction !== 'parked' && pass.frames.length > 1,
    )) {
      const [from, to] = direction === 'approaching' ? [frames[0]!, frames.at(-1)!] : [frames.at(-1)!, frames[0]!]
      t.ok(
        area(to.quad) > area(from.quad) && middle(to.quad) > middle(from.quad),
        `a plate grows and moves down in the picture as it approaches (${direction})`,
      )
    }
    const parked = passes.filter((pass) => pass.direction === 'parked')
    t.equal(parked.length, 1)
    t.equal(
      new Set(parked[0]!.frames.map((frame) => JSON.stringify(frame.quad))).size,
      1,
      'a parked vehicle does not move',
    )
    t.ok(
      passes.some((pass) => pass.plate === null && pass.frames.length === 0),
      'a vehicle without a plate is in the truth, with nothing to read',
    )

    const wanted = new Map<string, { pass: Pass; quad: [number, number][] }[]>()
    for (const pass of passes)
      for (const frame of pass.frames.slice(0, 6))
        wanted.set(`${pass.camera} ${frame.t}`, [
          ...(wanted.get(`${pass.camera} ${frame.t}`) ?? []),
          { pass, quad: frame.quad },
        ])
    const votes = new Map<Pass, Map<string, number>>()
    const recognizer = await Recognizer.create(
      await loadWasmFile('recognizer.wasm'),
      await loadWasmFile('platestream.psm'),
      { warmUps: 0 },
    )
    for await (const { camera, capturedAt, jpeg } of readFrames(out)) {
      const here = wanted.get(`${camera} ${new Date(capturedAt).toISOString()}`)
      if (!here) continue
      const { width, height } = await decodePicture(jpeg, recognizer)
      for (const { plate, confidence, quad } of recognizer.recognize(width, height)) {
        const owner = here.find(
          (one) =>
            Math.hypot(...[0, 1].map((c) => (one.quad[0]![c]! + one.quad[2]![c]! - quad[0]![c]! - quad[2]![c]!) / 2)) <
            20,
        )
        if (!owner) continue
        const count = votes.get(owner.pass) ?? new Map<string, number>()
        votes.set(owner.pass, count.set(plate, (count.get(plate) ?? 0) + confidence))
      }
    }
    const readable = passes.filter((pass) => pass.plate !== null)
    const right = readable.filter(
      (pass) => [...(votes.get(pass) ?? [])].sort((a, b) => b[1] - a[1])[0]?.[0] === pass.plate,
    )
    t.ok(readable.length >= 5, `${readable.length} passes with a plate`)
    t.ok(right.length >= kLeastShare * readable.length, `${right.length} of ${readable.length} passes read exactly`)
  },
)

t.test('the command writes a feed and its truth, or neither', async (t) => {
  const folder = t.testdir()
  const [recipe, out] = [join(folder, 'x.yaml'), join(folder, 'x.mcap')]
  writeFileSync(recipe, 'duration: 1s\ncameras: 1\nsize: 480x320\nlight: dawn\n')
  const bad = await call(['feed', 'render', recipe, '--out', out])
  t.equal(bad.code, 1)
  t.match(
    bad.stderr,
    /^platestream: ALPR_ERR_FEED_INVALID: .*x\.yaml: light must be one of day, dusk, night, infra-red\n$/,
  )
  t.notOk(existsSync(out))
  writeFileSync(recipe, 'duration: 1s\ncameras: 1\nsize: 480x320\nlight: dusk\n')
  const good = await call(['feed', 'render', recipe, '--out', out, '--json'])
  t.match(JSON.parse(good.stdout), { frames: 5, cameras: 1, truth: join(folder, 'x.truth.json') })
  t.ok(existsSync(out) && existsSync(join(folder, 'x.truth.json')) && !existsSync(`${out}.part`))
  t.match((await call(['feed', 'render', recipe, '--out', out])).stderr, /already exists; --force/)
})
