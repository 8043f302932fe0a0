import type { Hit } from '../../../engine/model/hit.js'
import { hourOf, type LedgerRow } from '../../../engine/model/ledger.js'
import type { StoredRead } from '../../../engine/store/tables.js'

/** Default rows: a test overrides only the fields that it is about. */
const TS = Date.UTC(2026, 10, 16, 8, 30)

export const aRead = (some: Partial<StoredRead> = {}): StoredRead => ({
  readId: '1',
  version: 1,
  plate: '8ABC123',
  confidence: 0.97,
  alternates: [{ plate: 'BABC123', confidence: 0.02 }],
  region: 'CA',
  camera: 'c1',
  ts: TS,
  tsLast: TS + 800,
  lat: 37.7,
  lon: -122.2,
  heading: 90,
  direction: 'approaching',
  frames: 4,
  quality: { heightPx: 32, sharpness: 0.5, contrast: 0.75, glare: 0.125 },
  crop: { segment: '2026-W47-e1.crops', offset: 0, length: 5_000 },
  module: 'm1',
  model: 'n1',
  lists: 'l1',
  feed: '',
  ...some,
})

export const aHit = (some: Partial<Hit> = {}): Hit => ({
  hitId: '1.stolen.8ABC123',
  revision: 1,
  state: 'possible',
  readId: '1',
  plate: '8ABC123',
  confidence: 0.97,
  alternates: [],
  region: 'CA',
  listedPlate: '8ABC123',
  list: 'stolen',
  listName: 'Stolen vehicles',
  listVersion: '0123456789abcdef',
  listLoadedAt: '2026-11-16T08:00:00.000Z',
  reason: 'stolen',
  priority: 'high',
  exact: true,
  probability: 0.97,
  tolerated: [],
  camera: 'c1',
  cameraName: 'First and Main',
  lat: 37.7,
  lon: -122.2,
  direction: 'approaching',
  ts: new Date(TS).toISOString(),
  tsLast: new Date(TS + 800).toISOString(),
  publishedAt: new Date(TS + 1_000).toISOString(),
  module: 'm1',
  model: 'n1',
  ...some,
})

export const aLedgerRow = (some: Partial<LedgerRow> = {}): LedgerRow => ({
  camera: 'c1',
  part: 1,
  hour: hourOf(TS),
  framesIn: 1,
  withReads: 1,
  withoutPlate: 0,
  dead: 0,
  version: 1,
  ...some,
})
