import t from 'tap'
import { CACHED_MS } from '../../../engine/canvass/canvass_service.js'
import { ACCESS, testRecords } from '../records/test_records.js'
import { holdReads } from '../../../engine/retention/holds.js'
import { purgeProofs } from '../../../engine/retention/purge_proofs.js'
import { purgeWeek } from '../../../engine/retention/week_purge.js'
import { checkRollups, sealWeek } from '../../../engine/store/rollup_rebuild.js'
import { migrate } from '../../../engine/store/migrate.js'
import { mondayOf, partitionOf, WEEK_MS } from '../../../engine/store/week.js'
import { StoreWriter } from '../../../engine/store/writer.js'
import { startTestStore } from '../../servers/store.js'
import { cityRows, iso, START } from '../canvass/city.js'
import { finalRows } from '../canvass/oracle.js'

t.setTimeout(240_000)

t.test('a week begins on Monday, which names its partition', async (t) => {
  t.equal(partitionOf(mondayOf(Date.UTC(2026, 10, 22, 23, 59))), '2026-11-16')
  t.equal(mondayOf(Date.UTC(2026, 10, 16)), Date.UTC(2026, 10, 16))
  t.throws(() => partitionOf(Date.UTC(2026, 10, 17)), { code: 'ALPR_ERR_USAGE' })
})

t.test('a purged week leaves a proof, and held reads remain in every answer', async (t) => {
  const store = await startTestStore(t)
  const { client } = store
  await migrate(client, 'p')
  const stored = cityRows(400)
  await new StoreWriter(client, 'p').write({ reads: stored, hits: [], ledger: [] })
  const rows = finalRows(stored)
  const week = mondayOf(START)
  const old = rows.filter((row) => mondayOf(row.ts) === week)
  const rest = rows.filter((row) => mondayOf(row.ts) !== week)
  const held = old.filter((_, index) => index % 3 === 0)
  let clock = 0
  const now = () => clock
  const records = testRecords({ client, database: 'p', now })
  const wide = { windows: [{ from: iso(START - WEEK_MS), to: iso(START + 3 * WEEK_MS) }] }
  const plate = held[0]!.plate
  // Chooses pattern first, even for few reads.
  const eager = testRecords({
    client,
    database: 'p',
    now,
    costs: { row: 1, plate: 0, query: 0 },
    search: {
      name: 'dictionary',
      cost: async () => ({ ms: -1, isOverBudget: false }),
      search: async () => ({ plates: [{ plate, probability: 1 }], more: false, partial: false, scanned: 1, of: 1 }),
      async *pages() {
        /* only the planner asks */
      },
    },
  })
  const ask = async () => ({
    canvass: (await records.ask(ACCESS, 'canvass', { ...wide, limit: 5_000 })).items.reduce(
      (sum: number, one) => sum + (one as { count: number }).count,
      0,
    ),
    history: (await records.ask(ACCESS, 'history', { ...wide, plate, limit: 5_000 })).items.map(
      (one) => (one as { readId: string }).readId,
    ),
    lookBack: (
      await records.ask(ACCESS, 'look-back', {
        ...wide,
        plates: [plate, ...Array.from({ length: 150 }, (_, index) => `FILLER${index}`)],
        limit: 5_000,
      })
    ).items.map((one) => (one as { readId: string }).readId),
    patterned: (
      await eager.ask(ACCESS, 'timeline', { ...wide, pattern: plate, lookAlikes: false, step: '1d', limit: 5_000 })
    ).items.reduce((sum: number, one) => sum + (one as { reads: number }).reads, 0),
    timeline: (await records.ask(ACCESS, 'timeline', { ...wide, step: '1d', limit: 5_000 })).items.reduce(
      (sum: number, one) => sum + (one as { reads: number }).reads,
      0,
    ),
  })
  const expected = (of: typeof rows) => {
    const own = of
      .filter((row) => row.plate === plate)
      .sort((a, b) => b.ts - a.ts || Number(BigInt(b.readId) - BigInt(a.readId)))
      .map((row) => row.readId)
    return { canvass: of.length, timeline: of.length, history: own, lookBack: own, patterned: own.length }
  }

  const states = await checkRollups(client, 'p')
  t.same(
    states.map(({ week: of, reads }) => [of, reads]),
    [...new Set(rows.map((row) => mondayOf(row.ts)))]
      .sort()
      .map((of) => [of, rows.filter((row) => mondayOf(row.ts) === of).length]),
  )
  t.ok(
    states.every(({ reads, counted }) => counted === reads),
    'reads that were stored twice are counted once',
  )
  for (const { week: of } of states) await sealWeek(client, 'p', of)
  t.ok((await checkRollups(client, 'p')).every(({ reads, counted, sealed }) => reads === counted && sealed))
  const sealedDesk = testRecords({ client, database: 'p' })
  const explained = await sealedDesk.ask(ACCESS, 'timeline', { ...wide, step: '1d', limit: 5_000, explain: true })
  t.match(explained.plan!.facts.rollup, { sealedWeeks: states.length })
  t.equal(
    explained.items.reduce((sum: number, one) => sum + (one as { reads: number }).reads, 0),
    rows.length,
    'the rollup gives the same answer as the reads',
  )

  await t.rejects(holdReads(client, 'p', [{ readId: '1', ts: START }]), { code: 'ALPR_ERR_NOT_FOUND' })
  t.equal(await holdReads(client, 'p', held), held.length)
  await holdReads(client, 'p', held)
  t.same(await ask(), expected(rows), 'a hold changes no answer')
  const options = {
    who: 'custodian',
    reason: 'retention',
    keepDays: 365,
    now: week + WEEK_MS + 366 * 86_400_000,
    waitMs: 0,
  }
  await t.rejects(purgeWeek(client, 'p', week, { ...options, now: week + WEEK_MS + 364 * 86_400_000 }), {
    code: 'ALPR_ERR_RETENTION_BELOW_MINIMUM',
  })

  // Interrupted between announcement and deletion, then completed.
  const dying = new Proxy(client, {
    get: (target, name) =>
      name === 'command'
        ? (command: { query: string }) =>
            command.query.includes('DROP PARTITION') ? Promise.reject(new Error('killed')) : target.command(command)
        : Reflect.get(target, name),
  })
  await t.rejects(purgeWeek(dying, 'p', week, options), { message: 'killed' })
  clock += CACHED_MS + 1
  t.same(await ask(), expected([...held, ...rest]), 'from the announcement on, answers contain held reads only')
  const proof = await purgeWeek(client, 'p', week, options)
  t.match(proof, {
    week,
    who: 'custodian',
    readsBefore: old.length,
    readsHeld: held.length,
    readsAfter: 0,
    digest: /^\d+$/,
  })
  t.match(await purgeProofs(client, 'p'), [{ ...proof, state: 'done' }])
  t.same(await ask(), expected([...held, ...rest]))
  const [left] = await (
    await client.query({
      query: `SELECT count() AS n FROM p.reads WHERE toMonday(ts) = '${partitionOf(week)}'`,
      format: 'JSONEachRow',
    })
  ).json<{ n: string }>()
  t.equal(Number(left!.n), 0)
})
