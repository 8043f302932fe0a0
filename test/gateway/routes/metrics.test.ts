import type { StreamInfo } from 'nats'
import t from 'tap'
import { startTestGateway } from '../fixtures/gateway.js'
import { makeStatus } from '../fixtures/status.js'

t.test('metrics cover the gateway and each engine by instance', async (t) => {
  const { app, services } = await startTestGateway(t)
  services.board.put(makeStatus())
  services.board.put(
    makeStatus({
      instance: 'e3',
      waiting: { recognition: 'recognition threads do not start' },
      partitions: [],
      allPartitions: ['frames-2-0', 'frames-2-1', 'detections-2-0'],
      held: [{ partition: 'frames-2-1', what: 'trim', ms: 61_500, by: 'camera a' }],
      counters: {},
      gauges: {},
    }),
  )
  const state = { bytes: 990, messages: 10 }
  const config = { name: 'FRAMES-2-0', discard: 'new', max_bytes: 1_000, subjects: ['frames.2.0.>'] }
  services.rooms.update([{ config, state } as unknown as StreamInfo], Date.now() - 5_000)
  services.board.put(makeStatus({ instance: 'e"2\n', counters: { frames_total: 7 }, gauges: {} }))
  const text = (await app.inject({ url: '/metrics', remoteAddress: '127.0.0.1' })).body
  for (const line of [
    'alpr_gateway_consoles 0',
    'alpr_gateway_nats_connected 0',
    'alpr_gateway_engines_fresh 3',
    'alpr_gateway_partition_held_seconds{instance="e3",partition="frames-2-1",what="trim"} 61.5',
    'alpr_gateway_stream_used_ratio{stream="FRAMES-2-0"} 0.99',
    'alpr_engine_frames_total{instance="e1"} 100',
    'alpr_engine_frames_total{instance="e_2_"} 7',
    'alpr_engine_dead_total{instance="e1",code="ALPR_ERR_FRAME_EMPTY"} 2',
    'alpr_engine_bound_total{instance="e1",bound="slots"} 1',
    'alpr_engine_hot_list_age_seconds{instance="e1",list="svs"} 60',
    'alpr_engine_workers{instance="e1"} 2',
    '# TYPE alpr_engine_frames_total counter',
    '# TYPE alpr_engine_frames_waiting gauge',
  ])
    t.ok(text.split('\n').includes(line), line)
  t.equal(text.match(/# TYPE alpr_engine_frames_total/g)!.length, 1, 'one family for all engines')
  t.notMatch(text, /bad name/)
  t.match(text, /^alpr_gateway_engine_waiting_seconds\{instance="e3",what="recognition"\} \d/m)
  t.match(text, /^alpr_gateway_partition_uncovered_seconds\{partition="detections-2-0"\} \d/m)
  t.match(text, /^alpr_gateway_stream_full_seconds\{stream="FRAMES-2-0"\} [5-9]/m)
})
