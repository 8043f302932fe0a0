import sharp from 'sharp'

/** A chart of a result: bars, one per row, or lines over numbers. */
export type Panel = BarPanel | LinePanel

export interface BarPanel {
  kind: 'bars'
  title: string
  unit: string
  bars: { label: string; value: number; goal?: number }[]
  /** Logarithmic, for values that lie decades apart. */
  log?: boolean
}

export interface LinePanel {
  kind: 'lines'
  title: string
  x: { label: string; log?: boolean; ticks?: [value: number, text: string][] }
  y: { label: string; log?: boolean }
  lines: { name: string; points: [x: number, y: number][] }[]
  /** Drawn as a horizontal line. */
  goal?: number
}

const WIDTH = 1_000
const COLOURS = ['#1f5fa8', '#c2571a', '#2c7a4b', '#8b3a8f', '#6b6b00', '#aa2233', '#3a7d8f']
const GOAL_COLOUR = '#aa2233'
/** Margins, and the height of a bar and of a line chart, pixels. */
const LEFT = 250
const RIGHT = 110
const BAR = 22
const LINES = 300

/** Draws the panels one below the other. @param heading the line above them @returns a PNG */
export async function drawPanels(heading: string, panels: readonly Panel[]): Promise<Buffer> {
  let y = 40
  const drawn = panels.map((panel) => {
    const [svg, height] = panel.kind === 'bars' ? bars(panel, y) : lines(panel, y)
    y += height + 30
    return svg
  })
  const svg = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y}"`,
    ' font-family="DejaVu Sans, sans-serif" font-size="13"><rect width="100%" height="100%" fill="#fff"/>',
    text(20, 24, heading, 'start', 11, '#555'),
    ...drawn,
    '</svg>',
  ]
  return sharp(Buffer.from(svg.join('')))
    .png({ compressionLevel: 9, palette: true })
    .toBuffer()
}

function bars({ title, unit, bars: rows, log = false }: BarPanel, top: number): [string, number] {
  const values = rows
    .flatMap(({ value, goal }) => [value, goal ?? value])
    .filter((value) => Number.isFinite(value) && (!log || value > 0))
  const most = Math.max(...values, log ? 1e-9 : 0) || 1
  const least = log ? 10 ** Math.floor(Math.log10(Math.min(...values))) : 0
  const width = WIDTH - LEFT - RIGHT
  const at = (value: number) =>
    Math.max(
      0,
      Math.min(
        1,
        log ? Math.log(Math.max(value, least) / least) / Math.log(Math.max(most / least, 1.01)) : value / most,
      ),
    ) * width
  const out = [text(20, top + 14, `${title} (${unit}${log ? ', logarithmic' : ''})`, 'start', 14, '#000', true)]
  rows.forEach(({ label, value, goal }, i) => {
    const y = top + 28 + i * BAR
    out.push(
      text(LEFT - 8, y + 14, label, 'end'),
      `<rect x="${LEFT}" y="${y + 2}" width="${round(at(value))}" height="${BAR - 6}" fill="${COLOURS[0]}"/>`,
      text(LEFT + at(value) + 6, y + 14, short(value)),
    )
    if (goal !== undefined) {
      const x = LEFT + at(goal)
      out.push(line([x, x], [y, y + BAR - 2], `stroke="${GOAL_COLOUR}" stroke-width="2"`))
    }
  })
  if (rows.some(({ goal }) => goal !== undefined))
    out.push(text(WIDTH - 20, top + 14, 'red: the goal', 'end', 11, GOAL_COLOUR))
  return [out.join(''), 28 + rows.length * BAR]
}

function lines({ title, x, y, lines: all, goal }: LinePanel, top: number): [string, number] {
  const xs = all.flatMap(({ points }) => points.map(([value]) => value))
  const ys = [...all.flatMap(({ points }) => points.map(([, value]) => value)), ...(goal === undefined ? [] : [goal])]
  const left = 80
  const width = WIDTH - left - 180
  const across = scale(xs, x.log ?? false, false)
  const up = scale(ys, y.log ?? false, true)
  const px = (value: number) => round(left + across.at(value) * width)
  const py = (value: number) => round(top + 28 + (1 - up.at(value)) * LINES)
  const out = [
    text(20, top + 14, title, 'start', 14, '#000', true),
    `<rect x="${left}" y="${top + 28}" width="${width}" height="${LINES}" fill="none" stroke="#bbb"/>`,
  ]
  for (const tick of up.ticks)
    out.push(
      line([left, left + width], [py(tick), py(tick)], 'stroke="#eee"'),
      text(left - 6, py(tick) + 4, short(tick), 'end', 11),
    )
  for (const [value, label] of x.ticks ?? across.ticks.map((tick): [number, string] => [tick, short(tick)]))
    out.push(text(px(value), top + 28 + LINES + 16, label, 'middle', 11))
  out.push(
    text(left + width / 2, top + 28 + LINES + 34, x.label, 'middle', 12, '#555'),
    text(left, top + 24, y.label, 'start', 11, '#555'),
  )
  if (goal !== undefined)
    out.push(
      line([left, left + width], [py(goal), py(goal)], `stroke="${GOAL_COLOUR}" stroke-dasharray="6 4"`),
      text(left + 6, py(goal) - 5, `goal ${short(goal)}`, 'start', 11, GOAL_COLOUR),
    )
  all.forEach(({ name, points }, i) => {
    const colour = COLOURS[i % COLOURS.length]!
    const path = points.map(([a, b]) => `${px(a)},${py(b)}`).join(' ')
    out.push(
      `<polyline fill="none" stroke="${colour}" stroke-width="2" points="${path}"/>`,
      text(left + width + 6, top + 44 + i * 18, name, 'start', 12, colour),
    )
  })
  return [out.join(''), 28 + LINES + 40]
}

/** Maps values to 0..1 of an axis, and chooses round numbers as its ticks. */
function scale(
  values: readonly number[],
  log: boolean,
  fromZero: boolean,
): { at(value: number): number; ticks: number[] } {
  const finite = values.filter((value) => Number.isFinite(value) && (!log || value > 0))
  let least = Math.min(...finite)
  let most = Math.max(...finite)
  if (log) {
    least = 10 ** Math.floor(Math.log10(least))
    most = 10 ** Math.ceil(Math.log10(Math.max(most, least * 1.01)))
    const ticks = []
    for (let tick = least; tick <= most * 1.001; tick *= 10) ticks.push(tick)
    return { at: (value) => Math.max(0, Math.log(Math.max(value, least) / least) / Math.log(most / least)), ticks }
  }
  if (fromZero) least = Math.min(0, least)
  if (most <= least) most = least + 1
  const step = nice((most - least) / 5)
  const ticks = []
  for (let tick = Math.ceil(least / step) * step; tick <= most + step / 1e6; tick += step) ticks.push(tick)
  return { at: (value) => (value - least) / (most - least), ticks }
}

/** The next of 1, 2, 5 times a power of ten. */
function nice(step: number): number {
  const power = 10 ** Math.floor(Math.log10(step))
  return ([1, 2, 5, 10].find((m) => m * power >= step) ?? 10) * power
}

function text(x: number, y: number, words: string, anchor = 'start', size = 13, fill = '#222', bold = false): string {
  const safe = words.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  const style = `text-anchor="${anchor}" font-size="${size}" fill="${fill}"${bold ? ' font-weight="bold"' : ''}`
  return `<text x="${round(x)}" y="${round(y)}" ${style}>${safe}</text>`
}

function line([x1, x2]: [number, number], [y1, y2]: [number, number], style: string): string {
  return `<line x1="${round(x1)}" x2="${round(x2)}" y1="${round(y1)}" y2="${round(y2)}" ${style}/>`
}

const round = (value: number): number => Math.round(value * 10) / 10
const short = (value: number): string =>
  Math.abs(value) >= 1_000 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(3)))
