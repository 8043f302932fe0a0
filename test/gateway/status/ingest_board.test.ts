import t from 'tap'
import type { Camera, IngestStatus, LiveCameraState } from '../../../engine/mod.js'
import { IngestBoard, ingestMetrics } from '../../../gateway/status/ingest_board.js'

const NOW = Date.parse('2026-05-01T08:30:00Z')
const at = (ms: number) => new Date(NOW + ms).toISOString()
const camera = (id: string, url?: string): Camera => ({
  ...{ id, name: id, kind: 'fixed', lat: 1, lon: 2, agency: '' },
  ...(url && { live: { url } }),
})
const statusOf = (cameras: Record<string, LiveCameraState>): IngestStatus => ({
  ...{ instance: 'i1', at: at(0), cameras, waiting: {}, gauges: {}, bounds: [] },
  counters: { frames_received_total: 7 },
})

t.test('faults of live cameras are named: failed, silent, covered, pulled by nobody', async (t) => {
  const urls = ['a', 'b', 'c', 'd', 'e'].map((id) => camera(id, 'rtsp://h/x'))
  const board = new IngestBoard({ cameras: () => [...urls, camera('not-live')] })
  board.put(
    statusOf({
      a: { state: 'failed', since: at(-5_000), reason: 'it refuses the connection', spooled: 0 },
      b: { state: 'connected', since: at(-60_000), lastFrameAt: at(-40_000), spooled: 0 },
      c: { state: 'connected', since: at(-60_000), lastFrameAt: at(-100), view: ['blocked'], spooled: 0 },
      d: { state: 'connected', since: at(-60_000), lastFrameAt: at(-100), view: [], spooled: 3 },
    }),
  )
  const known = ['a', 'b', 'c']
  t.same(
    board.faults(NOW).map(({ id }) => id),
    known,
  )
  t.match(board.faults(NOW + 1), [
    { reason: 'it refuses the connection' },
    { since: at(-40_000) },
    { reason: /covered/ },
  ])
  t.match(
    board.faults(NOW + 15_001).find(({ id }) => id === 'e'),
    { reason: 'no ingest process pulls it', since: at(0) },
  )
})

t.test('a process that is silent gives no state, and metrics name the camera', async (t) => {
  let now = 0
  const board = new IngestBoard({ cameras: () => [] }, () => now)
  board.put(
    statusOf({ d: { state: 'connected', since: at(0), fps: 5, clockOffsetMs: -250, view: ['moved'], spooled: 3 } }),
  )
  const text = ingestMetrics(board.fresh())
  t.match(text, /^alpr_ingest_frames_received_total\{instance="i1"\} 7$/m)
  t.match(text, /^alpr_ingest_camera_connected\{instance="i1",camera="d"\} 1$/m)
  t.match(text, /^alpr_ingest_camera_clock_offset_seconds\{instance="i1",camera="d"\} -0.25$/m)
  t.match(text, /^alpr_ingest_camera_moved\{instance="i1",camera="d"\} 1$/m)
  for (const bad of [null, {}, { instance: 'x' }, { instance: 'x', cameras: 1, counters: {}, gauges: {} }])
    board.put(bad as never)
  now = 6_000
  t.same(board.fresh(), [])
})
