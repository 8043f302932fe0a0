import type { Act, RunConfig, Stage } from './act.js'
import { Cameras } from './cameras.js'
import { mappingsOf } from './entrances.js'
import { FAULTS } from './faults.js'
import type { Finding } from './oracle.js'
import { Operator } from './operator.js'
import { OPERATORS_ACTS } from './operators_acts.js'
import { Random } from './random.js'
import { closingMessage, planTraffic, Plates, type CameraPlan, type EntranceName } from './traffic.js'
import { World } from './world.js'

export interface ScenarioOptions {
  seed: number
  /** Names of acts; without it a seed chooses among those that hold. */
  acts?: readonly string[]
  print?: (line: string) => void
}

export interface Outcome {
  seed: number
  acts: string[]
  findings: Finding[]
  messages: number
  /** Virtual time, ms. */
  virtualMs: number
  events: number
  hash: string
  /** The last lines of the trace, when there are findings. */
  trace: string[]
}

/** When traffic begins: engines are up, cameras and lists registered. */
const BEGIN_MS = 4_000
/** `RunConfig.mostCalmMs` of a usual run. */
const CALM_MS = 120_000
/** What cameras send last is done within this time, however long the faults had effects, ms. */
const LAST_MS = 15_000
export const ACTS: readonly Act[] = [...FAULTS, ...OPERATORS_ACTS]

const CHECK_MS = 1_000

/** Plays one seed. */
export async function playSeed(options: ScenarioOptions): Promise<Outcome> {
  const random = new Random(options.seed, 'scenario')
  const acts = chooseActs(random, options.acts)
  const partitions = random.pick([1, 2, 3, 4])
  const config: RunConfig = {
    engines: random.pick([1, 1, 2, 2, 3]),
    settings: { partitions },
    natsVersion: random.pick(['2.9.10', '2.10.27', '2.15.1']),
    mappings: mappingsOf(partitions),
    triggered: false,
    slowFrames: false,
    slowBytes: 0,
    mostCalmMs: CALM_MS,
    leastCalmMs: random.chance(0.1) ? 45_000 : 0,
  }
  for (const act of acts) act.configure?.(config, random)
  const { engines, settings, natsVersion, mappings } = config
  const world = new World({
    seed: options.seed,
    engines,
    settings,
    natsVersion,
    mappings,
    ...(options.print && { print: options.print }),
  })
  const until = BEGIN_MS + random.between(6_000, 22_000)
  const plans = planTraffic(world.random.traffic, {
    cameras: (config.slowFrames ? 3 : 1) + random.int(5),
    from: BEGIN_MS,
    until,
    triggered: config.triggered,
    slowFrames: config.slowFrames,
    slowBytes: config.slowBytes,
    entrances: random.pick<readonly EntranceName[]>([['frames'], ['detections'], ['frames', 'detections']]),
  })
  world.oracle.isUndisturbed = acts.length === 1
  const cameras = new Cameras(world)
  const operator = new Operator(world)
  const silent = new Set(plans.filter(() => random.chance(0.1)).map(({ camera }) => camera))
  const stage: Stage = { world, cameras, operator, plans, silent, from: BEGIN_MS, until }
  world.trace.note(
    'scenario',
    `NATS ${natsVersion}, ${engines} engines, ${partitions} partitions, ${plans.length} cameras: ` +
      acts.map(({ name }) => name).join(', '),
  )
  const crashed = (error: unknown) => world.crashed(error)
  process.on('unhandledRejection', crashed)
  try {
    prepare(stage)
    for (const act of acts) act.plan?.(stage)
    await world.clock.run(() => world.clock.now >= until + 4_000 && operator.isDone, until + 20_000)
    await calmDown(stage, config)
  } finally {
    process.off('unhandledRejection', crashed)
  }
  const tolerated = new Set(acts.flatMap((act) => act.tolerates ?? []))
  const findings = [...world.oracle.findings, ...world.oracle.check()].filter(({ kind }) => !tolerated.has(kind))
  return {
    seed: options.seed,
    acts: acts.map(({ name }) => name),
    findings,
    messages: world.oracle.messageCount,
    virtualMs: Math.round(world.clock.now),
    events: world.clock.events,
    hash: world.trace.hash,
    trace: findings.length > 0 ? world.trace.last(200) : [],
  }
}

/** Registers cameras and a list, starts the engines; traffic begins later. */
function prepare({ world, cameras, operator, plans }: Stage): void {
  for (const engine of world.engines) engine.start()
  const watched = plans
    .flatMap(({ messages }) => messages.flatMap(({ plates }) => plates))
    .filter(() => world.random.traffic.chance(0.3))
  for (const plate of watched) world.oracle.watchedPlates.add(plate)
  operator.do('registers cameras and a list', async () => {
    for (const { camera } of plans) await operator.addCamera(camera)
    await operator.importList('stolen', [...new Set(watched)], 'stolen')
  })
  cameras.start(plans)
}

/** Ends all faults, lets the cameras finish, and waits until the oracle has nothing to say. */
async function calmDown(
  { world, cameras, operator, plans, silent }: Stage,
  { leastCalmMs, mostCalmMs }: RunConfig,
): Promise<void> {
  const { clock, trace, oracle } = world
  trace.note('scenario', 'faults end')
  healAll(world)
  const limit = clock.now + mostCalmMs
  await clock.run(() => world.engines.every(({ process }) => (process?.pausedUntil ?? 0) <= clock.now), limit)
  await clock.run(() => cameras.isDone && operator.isDone, limit)
  oracle.beCalm()
  const calmSince = clock.now
  const last = Math.max(limit, calmSince + LAST_MS)
  const plates = new Plates(new Random(world.options.seed, 'closing'))
  const closing = (plan: CameraPlan) => closingMessage(plan, clock.now + 4_000, plates.next())
  for (const plan of plans) if (!silent.has(plan.camera)) cameras.send([closing(plan)])
  await clock.run(() => cameras.isDone, last)
  let next = clock.now
  await clock.run(() => {
    if (clock.now < next) return false
    next = clock.now + CHECK_MS
    return clock.now - calmSince >= leastCalmMs && oracle.check().length === 0
  }, last)
  // What comes twice may come late.
  await clock.run(() => false, clock.now + 3_000)
}

function healAll({ server, store, disks, network, nats, engines, brokenRecognizers }: World): void {
  server.start()
  server.clockOffsetMs = 0
  store.isUp = true
  Object.assign(store.conditions, { failures: 0, delayMs: 8 })
  Object.assign(disks.conditions, { isFull: false, delayMs: 2 })
  network.conditions.delayMs = 0.3
  network.cutOff.clear()
  Object.assign(nats, { lostAnswers: 0, lostSubjects: undefined, answerDelayMs: 0.3 })
  brokenRecognizers.clear()
  for (const engine of engines) engine.start()
}

function chooseActs(random: Random, names: readonly string[] | undefined): Act[] {
  if (names) return ACTS.filter(({ name }) => names.includes(name))
  return ACTS.filter(({ holds, share }) => random.chance(share) && holds)
}
