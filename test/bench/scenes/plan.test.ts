import t from 'tap'
import { readdirSync, readFileSync } from 'node:fs'
import { framesOf, parsePlan } from '../../../bench/scenes/mod.js'
import type { AlprError } from '../../../engine/runtime/mod.js'

const kGood = 'duration: 10s\ncameras: 2\n'

t.test('missing fields get defaults, and a camera can differ from the others', (t) => {
  const plan = parsePlan(
    'seed: 9\nduration: 1.5m\nlight: night\nspeed: [36, 72]\ncameras:\n' +
      '  - { id: a }\n  - { id: b, light: day, lanes: 3, lat: 1, lon: 2, size: 640x480, fps: 2 }\n',
    'x.yaml',
  )
  t.match(plan, {
    seed: 9,
    durationMs: 90_000,
    cameras: [
      {
        fps: 5,
        width: 1280,
        height: 720,
        light: 'night',
        headlights: true,
        lanes: 1,
        speed: [10, 20],
        record: { id: 'a', kind: 'fixed' },
      },
      {
        light: 'day',
        headlights: false,
        lanes: 3,
        width: 640,
        height: 480,
        fps: 2,
        record: { id: 'b', lat: 1, lon: 2 },
      },
    ],
  })
  t.equal(framesOf(plan), 90 * 5 + 90 * 2)
  t.equal(new Set(parsePlan('duration: 1s\ncameras: 1000', 'x').cameras.map((c) => c.record.id)).size, 1000)
  t.end()
})

t.test('an invalid file is refused with a code and the name of the wrong field', (t) => {
  const cases: [string, RegExp][] = [
    ['', /must be object/],
    ['duration: [', /not YAML: line 1/],
    ['a: &a [1]\nb: [*a, *a]', /not YAML/],
    ['cameras: 2', /the file must have required property 'duration'/],
    ['duration: 10s', /the file must have required property 'cameras'/],
    [`${kGood}colour: red`, /there is no field colour/],
    [`${kGood}light: noon`, /light must be one of day, dusk, night, infra-red/],
    [`${kGood}fps: fast`, /fps must be number/],
    [`${kGood}fps: 0`, /fps must be >= 0.1/],
    [`${kGood}size: big`, /size must be like 1280x720/],
    [`${kGood}size: 9999x720`, /size must have sides of 320 to 3840 pixels/],
    [`${kGood}speed: [50, 30]`, /speed must be \[slowest, fastest\]/],
    [`${kGood}speed: [50]`, /speed must NOT have fewer than 2 items/],
    [`${kGood}rain: 2`, /rain must be <= 1/],
    [`${kGood}lanes: 1.5`, /lanes must be integer/],
    [`${kGood}start: yesterday`, /start must be a time such as/],
    ['duration: soon\ncameras: 1', /duration must be a time such as/],
    ['duration: 0s\ncameras: 1', /duration must be more than 0/],
    ['duration: 9999h\ncameras: 1', /at most 744h/],
    ['duration: 1s\ncameras: 0', /cameras must be a whole number from 1 to 1000, or a list/],
    ['duration: 1s\ncameras: many', /cameras must be a whole number/],
    ['duration: 1s\ncameras: [{ id: No Good }]', /cameras\.0\.id must have 1 to 64/],
    ['duration: 1s\ncameras: [{ id: a }, { id: b, lanes: 9 }]', /cameras\.1\.lanes must be <= 4/],
    ['duration: 1s\ncameras: [{ id: a }, { id: a }]', /cameras\.1\.id: a is used twice/],
    ['duration: 1s\ncameras: [{ id: a, tracks: 2 }]', /there is no field cameras\.0\.tracks/],
    ['duration: 1s\ncameras: [{ id: a, speed: [9, 4] }]', /cameras\.0\.speed must be/],
  ]
  for (const [text, expected] of cases) {
    try {
      parsePlan(text, 'x.yaml')
      t.fail(`accepted: ${text}`)
    } catch (error) {
      t.equal((error as AlprError).code, 'ALPR_ERR_FEED_INVALID', text)
      t.match((error as AlprError).message, expected, text)
      t.match((error as AlprError).message, /^x\.yaml: /, text)
    }
  }
  t.end()
})

t.test('the plans in bench/feeds are valid', (t) => {
  const files = readdirSync('bench/feeds').filter((name) => name.endsWith('.yaml'))
  t.ok(files.length >= 3)
  for (const file of files) t.ok(framesOf(parsePlan(readFileSync(`bench/feeds/${file}`, 'utf8'), file)) > 0, file)
  const city = parsePlan(readFileSync('bench/feeds/40cam-5fps-night.yaml', 'utf8'), '40cam')
  t.equal(city.cameras.length, 40)
  t.ok(city.cameras.every((camera) => camera.fps === 5 && camera.light === 'night'))
  t.end()
})
