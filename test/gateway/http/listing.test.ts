import t from 'tap'
import type { ReadRecord } from '../../../engine/mod.js'
import { BEARER, startTestGateway } from '../fixtures/gateway.js'
import { makeHit } from '../fixtures/hits.js'

const read = (n: number, change: Partial<ReadRecord> = {}): ReadRecord => ({
  readId: String(n),
  version: 1,
  plate: `7ABC${n}`,
  confidence: 0.9,
  alternates: [{ plate: '7A8C1', confidence: 0.05 }],
  region: 'CA',
  camera: 'cam-1',
  ts: '2026-11-22T03:00:00.000Z',
  tsLast: '2026-11-22T03:00:01.000Z',
  lat: 37.5,
  lon: -122.5,
  direction: 'leaving',
  frames: 4,
  crop: { segment: '2026-W47-a.crops', offset: 12, length: 300 },
  module: 'm',
  model: 'n',
  ...change,
})

t.test('lists come in pages, newest first, as JSON and as CSV', async (t) => {
  const { app, archive } = await startTestGateway(t)
  archive.stored = Array.from({ length: 5 }, (_, i) => read(i + 1))
  const get = (url: string) => app.inject({ url, headers: BEARER })
  const first = (await get('/api/reads?limit=2')).json()
  t.same(
    first.items.map((r: ReadRecord) => r.readId),
    ['1', '2'],
  )
  const second = (await get(`/api/reads?limit=2&before=${first.next}`)).json()
  t.same(
    second.items.map((r: ReadRecord) => r.readId),
    ['3', '4'],
  )
  const third = (await get(`/api/reads?limit=2&before=${second.next}`)).json()
  t.same(third.items.length, 1)
  t.notOk('next' in third)

  const csv = await get('/api/reads?limit=2&format=csv')
  t.match(csv.headers, {
    'content-type': /^text\/csv/,
    'content-disposition': 'attachment; filename="reads.csv"',
    'next-page': '2',
  })
  const [heading, line] = csv.body.split('\r\n')
  t.match(heading, /^readId,plate,confidence,/)
  t.match(line, /^1,7ABC1,0\.9,7A8C1 0\.05,CA,cam-1,,2026-11-22T03:00:00\.000Z,/)
  t.match(line, /,37\.5,-122\.5,,leaving,4,\/api\/crops\/2026-W47-a\.crops\/12\/300,m,n$/)

  await get('/api/reads?plate=7 abc-1&camera=cam-1')
  t.same(
    archive.asked.at(-1),
    { limit: 100, camera: 'cam-1', plate: '7ABC1' },
    'spaces and case of a plate do not matter',
  )
  archive.storedHits = [makeHit(1, { reason: 'said "stop", twice' })]
  t.match((await get('/api/hits')).json().items[0], { hitId: archive.storedHits[0]!.hitId, state: 'possible' })
  t.match((await get('/api/hits?format=csv&list=svs')).body, /"said ""stop"", twice"/)
  archive.storedLedger = [
    { camera: 'cam-1', hour: '2026-11-22T03:00:00.000Z', framesIn: 10, withReads: 4, withoutPlate: 5, dead: 1 },
  ]
  t.same(
    (await get('/api/ledger?from=2026-11-22T00:00:00Z&to=2026-11-23T00:00:00Z&camera=cam-1')).json().items,
    archive.storedLedger,
  )
  t.same(archive.asked.at(-1), {
    from: Date.UTC(2026, 10, 22),
    to: Date.UTC(2026, 10, 23),
    camera: 'cam-1',
    limit: 1_000,
  })
  t.match((await get('/api/ledger?format=csv')).body, /cam-1,2026-11-22T03:00:00.000Z,10,4,5,1\r\n$/)

  archive.storedLedger = Array.from({ length: 9_001 }, (_, n) => ({
    camera: `cam-${n}`,
    hour: '2026-11-22T03:00:00.000Z',
    framesIn: n,
    withReads: n,
    withoutPlate: 0,
    dead: 0,
  }))
  const page = (await get('/api/ledger?limit=2')).json()
  t.same([page.items.length, page.next], [2, '2'])
  t.equal((await get('/api/ledger?limit=2&before=2')).json().items[0].camera, 'cam-2')
  const file = await get('/api/ledger?format=csv')
  t.match(file.headers, { 'content-disposition': 'attachment; filename="ledger.csv"' })
  t.equal(file.body.split('\r\n').length, 9_001 + 2, 'the file has all entries, a heading and the end of the last line')
  t.match((await get('/api/ledger?format=csv&limit=2')).headers, { 'next-page': '2' })
})
