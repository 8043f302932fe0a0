import t from 'tap'
import { startTestGateway } from '../fixtures/gateway.js'
import { makeStatus } from '../fixtures/status.js'

t.test('metrics cover the gateway and each engine by instance', async (t) => {
  const { app, services } = await startTestGateway(t)
  services.board.put(makeStatus())
  services.board.put(makeStatus({ instance: 'e"2\n', counters: { frames_total: 7 }, gauges: {} }))
  const text = (await app.inject({ url: '/metrics', remoteAddress: '127.0.0.1' })).body
  for (const line of [
    'alpr_gateway_consoles 0',
    'alpr_gateway_nats_connected 0',
    'alpr_gateway_engines_fresh 2',
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
})
