import { WebSocket } from 'ws'
import { Latency } from '../report/latency.js'

/** Orders a process to open consoles. The last `stalled` of them stop reading once they are live. */
export interface ConsoleOrder {
  url: string
  token: string
  consoles: number
  stalled: number
}
export interface ConsolesOpen {
  open: true
}
export interface ConsolesSeen {
  /** Hits that each reading console received. */
  hits: number[]
  /** Gaps in the sequences, and hits that came twice or out of order, over all consoles. */
  missing: number
  disordered: number
  /** Connections that closed. */
  closed: number
  counts: [ms: number, count: number][]
  cpuSeconds: number
}

/** The report waits until no hit has come for this long, ms. */
const kQuietMs = 2_000

const latency = new Latency()
const states: { hits: number; last: number; missing: number; disordered: number }[] = []
let closed = 0
let lastAt = 0

process.on('message', (order: ConsoleOrder | 'report') => {
  if (order === 'report') report()
  else void openAll(order)
})

function report(): void {
  if (Date.now() - lastAt < kQuietMs) return void setTimeout(report, 500)
  const { user, system } = process.cpuUsage()
  const sum = (of: 'missing' | 'disordered') => states.reduce((all, state) => all + state[of], 0)
  process.send!({
    hits: states.map(({ hits }) => hits),
    missing: sum('missing'),
    disordered: sum('disordered'),
    closed,
    counts: latency.counts,
    cpuSeconds: (user + system) / 1e6,
  } satisfies ConsolesSeen)
  process.disconnect()
  process.exitCode = 0
  setTimeout(() => process.exit(), 100)
}

/** Opens them one after the other, so that they do not all subscribe at once. */
async function openAll({ url, token, consoles, stalled }: ConsoleOrder): Promise<void> {
  for (let i = 0; i < consoles; i++) await openOne(url, token, i >= consoles - stalled)
  process.send!({ open: true } satisfies ConsolesOpen)
}

/** Resolves when the console has asked for its subscription; it takes effect with the next status message. */
function openOne(url: string, token: string, stalls: boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, { headers: { authorization: `Bearer ${token}` }, perMessageDeflate: false })
    const state = { hits: 0, last: 0, missing: 0, disordered: 0 }
    if (!stalls) states.push(state)
    socket.once('error', reject)
    socket.on('close', () => {
      closed += Number(!stalls)
    })
    socket.on('open', () => {
      socket.send(JSON.stringify({ type: 'subscribe' }))
      if (stalls) setTimeout(() => socket.pause(), 500)
      resolve()
    })
    socket.on('message', (data: Buffer) => {
      // A hit starts with `{"type":"hit","seq":<n>,` and carries `"publishedAt":"<intended time>"` soon after (hit.ts).
      // It is not parsed: that would measure JSON.parse.
      if (stalls || data[9] !== 104 /* h */ || data[10] !== 105 /* i */) return
      const head = data.toString('latin1', 0, 120)
      const seq = Number(head.slice(19, head.indexOf(',', 19)))
      const at = head.indexOf('"publishedAt":"') + 15
      latency.add(Date.now() - Date.parse(head.slice(at, at + 24)))
      state.hits += 1
      lastAt = Date.now()
      if (state.last !== 0 && seq > state.last + 1) state.missing += seq - state.last - 1
      if (seq <= state.last) state.disordered += 1
      state.last = Math.max(state.last, seq)
    })
  })
}
