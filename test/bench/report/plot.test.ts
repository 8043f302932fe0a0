import t from 'tap'
import { drawPanels } from '../../../bench/report/plot.js'

t.test('a plot tolerates values that cannot be drawn', async (t) => {
  for (const log of [true, false])
    t.ok(
      (
        await drawPanels('h', [
          {
            kind: 'bars',
            title: 't',
            unit: 'u',
            log,
            bars: [0, 1, 1e6, NaN, Infinity].map((value) => ({ label: String(value), value })),
          },
          {
            kind: 'lines',
            title: 't',
            x: { label: 'x', log },
            y: { label: 'y', log },
            lines: [
              { name: 'empty', points: [] },
              {
                name: 'some',
                points: [
                  [1, 0],
                  [2, 5],
                ],
              },
            ],
          },
        ])
      ).length > 1_000,
    )
})
