import t from 'tap'
import { questionList, type QuestionKind } from '../../../engine/canvass/questions.js'
import { AlprError } from '../../../engine/errors.js'
import type { Access, AccessGate } from '../../../engine/records/access.js'
import { LogGate, type AccessLine } from '../../../engine/records/log_gate.js'
import type { Records } from '../../../engine/records/records.js'
import type { StoredRecords } from '../../../engine/records/stored_records.js'
import { PLAIN, spyClient, type Statement } from '../canvass/spy.js'
import { ACCESS, OpenGate, testRecords } from './test_records.js'

const REF = { segment: 'a.crops', offset: 0, length: 1 }

/** Every method of the door that gives plate data. */
const METHODS: Record<string, (records: Records, access: Access) => Promise<unknown>> = {
  reads: (records, access) => records.reads(access, { limit: 1 }),
  hits: (records, access) => records.hits(access, { limit: 1 }),
  ledger: (records, access) => records.ledger(access, { limit: 1, from: 0, to: 1 }),
  exportLedger: (records, access) => records.exportLedger(access, { limit: 1, from: 0, to: 1 }).next(),
  picture: (records, access) => records.picture(access, REF),
  ask: (records, access) => records.ask(access, 'canvass', PLAIN.canvass),
  export: (records, access) => records.export(access, 'canvass', PLAIN.canvass).next(),
  watch: (records, access) => records.watch(access, 'plates', PLAIN.plates).next(),
  begin: (records, access) => records.begin(access, { kind: 'live', input: {}, form: 'live' }),
}
/** Methods without plate data. */
const PLAIN_METHODS = ['constructor', 'ping', 'close']

const closed: AccessGate = {
  begin: async () => {
    throw new AlprError('ALPR_ERR_AUTH_REQUIRED')
  },
}

/** Stored rows that remember what was read of them. */
function spyStored(read: string[]): StoredRecords {
  const page = async (what: string) => {
    read.push(what)
    return { items: [] }
  }
  return {
    ping: async () => {},
    reads: () => page('reads'),
    hits: () => page('hits'),
    ledger: () => page('ledger'),
    picture: async () => {
      await page('picture')
      return new Uint8Array(1)
    },
    close: async () => {},
  }
}

t.test('every method that gives plate data is in this test', async (t) => {
  const records = testRecords({ client: spyClient([]), database: 'p' })
  const all = Object.getOwnPropertyNames(Object.getPrototypeOf(records))
  t.same(all.sort(), [...Object.keys(METHODS), ...PLAIN_METHODS].sort())
})

t.test('nothing is read while the gate refuses', async (t) => {
  for (const [name, call] of Object.entries(METHODS)) {
    const asked: Statement[] = []
    const read: string[] = []
    const records = testRecords({ client: spyClient(asked), database: 'p', stored: spyStored(read), gate: closed })
    await t.rejects(call(records, ACCESS), { code: 'ALPR_ERR_AUTH_REQUIRED' }, name)
    t.same([asked, read], [[], []], name)
  }
})

t.test('an access without a person, a purpose or a session is refused', async (t) => {
  const records = testRecords({ client: spyClient([]), database: 'p', stored: spyStored([]) })
  const incomplete = [
    undefined,
    {},
    { ...ACCESS, who: '' },
    { ...ACCESS, purpose: ' ' },
    { ...ACCESS, session: undefined },
  ]
  for (const access of [...incomplete, { ...ACCESS, who: 'x'.repeat(201) }])
    for (const [name, call] of Object.entries(METHODS))
      await t.rejects(call(records, access as Access), { code: 'ALPR_ERR_AUTH_REQUIRED' }, name)
})

t.test('the gate hears each access before it is read, and how it ended', async (t) => {
  const kinds = questionList().map(({ kind }) => kind)
  t.same(Object.keys(PLAIN).sort(), kinds.sort(), 'all questions are tried here')
  for (const [kind, input] of Object.entries(PLAIN) as [QuestionKind, object][]) {
    const asked: Statement[] = []
    const before: number[] = []
    const gate = new OpenGate()
    const spying: AccessGate = {
      begin: (access, request) => {
        before.push(asked.length)
        return gate.begin(access, request)
      },
    }
    const records = testRecords({ client: spyClient(asked), database: 'p', gate: spying })
    await records.ask(ACCESS, kind, { ...input, explain: true }).catch(() => {})
    t.match(
      gate.begun,
      [{ ...ACCESS, kind: 'question', form: 'explain', input: { question: kind, limit: Number } }],
      kind,
    )
    t.same(before, [0], 'before the first statement')
    t.ok(asked.length > 0 && gate.ended.length === 1, 'ended once')
  }
})

t.test('an export that is given up ends its access once, with the rows that left', async (t) => {
  const gate = new OpenGate()
  const rows = Array.from({ length: 3 }, (_, i) => ({ id: String(i) }))
  const stored = { ...spyStored([]), reads: async () => ({ items: rows }) } as unknown as StoredRecords
  const records = testRecords({ client: spyClient([]), database: 'p', stored, gate })
  t.equal((await records.reads(ACCESS, { limit: 3 })).items.length, 3)
  const pages = records.export(ACCESS, 'canvass', PLAIN.canvass)
  await pages.next()
  await pages.return({})
  t.same(gate.ended, [{ rows: 3 }, { rows: 0 }])
})

t.test('an answer does not leave when its end cannot be recorded', async (t) => {
  const broken: AccessGate = {
    begin: async () => ({
      scope: { cameras: 'all', lists: 'all' },
      end: async () => {
        throw new Error('the disk is full')
      },
    }),
  }
  const records = testRecords({ client: spyClient([]), database: 'p', stored: spyStored([]), gate: broken })
  await t.rejects(records.reads(ACCESS, { limit: 1 }), /disk is full/)
})

t.test('what does not know cameras is refused under a restricted scope', async (t) => {
  const read: string[] = []
  for (const scope of [
    { cameras: ['c1'], lists: 'all' as const },
    { cameras: 'all' as const, lists: ['svs'] },
  ]) {
    const gate = new OpenGate(scope)
    const records = testRecords({ client: spyClient([]), database: 'p', stored: spyStored(read), gate })
    await t.rejects(records.picture(ACCESS, REF), { code: 'ALPR_ERR_SCOPE_RESTRICTED' })
    await t.rejects(records.ask(ACCESS, 'plates', PLAIN.plates), { code: 'ALPR_ERR_SCOPE_RESTRICTED' })
    t.match(gate.ended, [{ failed: 'ALPR_ERR_SCOPE_RESTRICTED' }, { failed: 'ALPR_ERR_SCOPE_RESTRICTED' }])
  }
  t.same(read, [])
})

t.test('the log gate writes a line at the begin and one at the end of an access', async (t) => {
  const lines: AccessLine[] = []
  const records = testRecords({
    client: spyClient([]),
    database: 'p',
    stored: spyStored([]),
    gate: new LogGate((line) => lines.push(line)),
  })
  await records.reads({ who: 'a', purpose: 'b', session: 'c' }, { limit: 7, camera: 'c1' })
  t.match(lines, [
    {
      phase: 'begin',
      who: 'a',
      purpose: 'b',
      session: 'c',
      kind: 'reads',
      input: { limit: 7, camera: 'c1' },
      form: 'page',
    },
    { phase: 'end', rows: 0, access: lines[0]!.access },
  ])
})
