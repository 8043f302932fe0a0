import { forAWhile, sometimes, type Act, type Stage } from './act.js'
import { isEntrance, mappingsOf } from './entrances.js'
import { completeConfig, type Stream } from './nats/stream.js'
import type { Random } from './random.js'

/** A version that does not delete from a full stream. */
const notOld = (version: string): string => (version.startsWith('2.9.') ? '2.10.27' : version)

/** Acts of operators, of clocks and of growth. */
export const OPERATORS_ACTS: Act[] = [
  {
    name: 'no mapping',
    what: 'engines have more than one partition, and the server maps no subjects',
    holds: true,
    share: 0.02,
    configure(config, random) {
      config.settings.partitions = 2 + random.int(3)
      config.mappings = []
    },
  },
  {
    name: 'other mapping',
    what: 'the server maps to another number of partitions than the engines have',
    holds: true,
    share: 0.02,
    configure(config, random) {
      config.settings.partitions = random.pick([2, 4])
      config.mappings = mappingsOf(random.pick([3, 8]))
    },
  },
  {
    name: 'partitions changed',
    what: 'the number of partitions changes on the running system, and later the mapping of the server',
    holds: true,
    share: 0.08,
    configure(config) {
      // A setting would refuse the new number.
      delete config.settings.partitions
    },
    plan(stage) {
      const { server, random, clock, trace } = stage.world
      const count = random.acts.pick([1, 2, 3, 4, 8])
      sometimes(stage, 1, () => {
        stage.operator.do(`changes to ${count} partitions`, () => stage.operator.changePartitions(count))
        clock.schedule(random.acts.between(0, 12_000), () => {
          trace.note('operator', `maps to ${count} partitions`)
          server.options.mappings = mappingsOf(count)
        })
      })
    },
  },
  {
    name: 'other setting',
    what: 'engines start again with a setting of another number of partitions, and later with the right one',
    holds: true,
    share: 0.05,
    tolerates: ['refused'],
    plan(stage) {
      const { clock, random, options } = stage.world
      const { partitions } = options.settings
      restartAll(stage, () => ({ partitions: random.acts.pick([1, 2, 4, 8]) }))
      clock.schedule(stage.until + 11_000 - clock.now, () => changeSettings(stage, { partitions }))
    },
  },
  {
    name: 'deep subjects',
    what: 'cameras send to subjects of one token more',
    holds: true,
    share: 0.08,
    plan({ world, cameras, plans }) {
      for (const { camera } of plans) if (world.random.acts.chance(0.6)) cameras.deep.add(camera)
    },
  },
  boundLowered('bound lowered', '', true, notOld),
  boundLowered(
    'bound of NATS 2.9',
    ', with nats-server 2.9, which deletes in spite of DiscardNew',
    false,
    () => '2.9.10',
  ),
  {
    name: 'set back',
    what: 'a power failure takes the last messages of the entrances; their sequences are used again',
    holds: false,
    share: 0.08,
    plan(stage) {
      const { server, random, trace, clock } = stage.world
      sometimes(stage, 1, () => {
        trace.note('nats', 'has a power failure')
        server.stop()
        for (const stream of entrances(stage)) {
          const lost = stream.setBack(random.acts.int(8))
          trace.note('nats', `loses the last ${lost} messages of ${stream.name}, now up to ${stream.lastSeq}`)
        }
        clock.schedule(random.acts.between(100, 4_000), () => server.start())
      })
    },
  },
  {
    name: 'all set back',
    what: 'a power failure takes the last messages of every stream, also of buckets, hits and dead letters',
    holds: false,
    share: 0.08,
    plan(stage) {
      const { server, random, trace, clock } = stage.world
      sometimes(stage, 1, () => {
        trace.note('nats', 'has a power failure')
        server.stop()
        for (const stream of server.streams.values())
          if (stream.name !== 'KV_CAMERAS' && stream.name !== 'KV_HOTLISTS') {
            const lost = stream.setBack(random.acts.int(4))
            if (lost > 0) trace.note('nats', `loses the last ${lost} messages of ${stream.name}`)
          }
        clock.schedule(random.acts.between(100, 4_000), () => server.start())
      })
    },
  },
  {
    name: 'recreated',
    what: 'an operator deletes a stream of an entrance and creates it again',
    holds: false,
    share: 0.08,
    plan(stage) {
      const { server, trace } = stage.world
      sometimes(stage, 1, () => {
        for (const { name, config } of entrances(stage)) {
          trace.note('operator', `recreates ${name}`)
          server.as('operator', () => server.deleteStream(name))
          server.addStream(completeConfig(config))
        }
      })
    },
  },
  {
    name: 'purged',
    what: 'an operator purges the streams of the entrances',
    holds: true,
    share: 0.08,
    plan(stage) {
      const { server, trace } = stage.world
      sometimes(stage, 1, () => {
        trace.note('operator', 'purges the entrances')
        server.as('operator', () => {
          for (const stream of entrances(stage)) stream.purge({})
        })
      })
    },
  },
  {
    name: 'camera removed',
    what: 'cameras are removed from the registry while cars are in view, and added again or not',
    holds: true,
    share: 0.08,
    configure: waitForTrim,
    plan(stage) {
      const { world, operator, plans } = stage
      sometimes(stage, 1 + world.random.acts.int(2), () => {
        const { camera } = world.random.acts.pick(plans)
        world.oracle.unsteadyCameras.add(camera)
        operator.do(`removes ${camera}`, () => operator.removeCamera(camera))
        if (world.random.acts.chance(0.5)) return
        world.clock.schedule(world.random.acts.between(500, 8_000), () =>
          operator.do(`adds ${camera}`, () => operator.addCamera(camera)),
        )
      })
    },
  },
  {
    name: 'unrenderable frames',
    what: 'no picture can be made of some frames, and their cameras fall silent',
    holds: true,
    share: 0.08,
    configure: waitForTrim,
    plan({ world, plans, silent }) {
      for (const { camera } of plans) silent.add(camera)
      for (const { messages } of plans)
        for (const { id } of messages) if (world.random.acts.chance(0.2)) world.unrenderable.add(id)
    },
  },
  {
    name: 'dead letters full',
    what: 'stream DEAD is nearly full, and a camera that is not registered sends',
    holds: true,
    share: 0.08,
    configure(config) {
      config.settings.deadMaxBytes = 200_000
    },
    plan({ world, plans, operator, from }) {
      const { clock, server, oracle, random } = world
      const { camera } = random.acts.pick(plans)
      oracle.unsteadyCameras.add(camera)
      oracle.mayOnlyCountDead = true
      clock.schedule(from - 2_000, () => {
        operator.do(`removes ${camera}`, () => operator.removeCamera(camera))
        const dead = server.streams.get('DEAD')
        const share = random.acts.between(0.3, 0.97)
        const letter = { subject: 'dead.other.REASON', header: undefined, data: Buffer.alloc(3_900) }
        while (dead && dead.bytes + 4_000 < share * 200_000) dead.publish({ ...letter, time: server.wallClock() })
      })
    },
  },
  {
    name: 'lists unreadable',
    what: 'the content of hot lists cannot be read for a while, engines start in it',
    holds: true,
    share: 0.08,
    plan(stage) {
      const { nats, random, engines } = stage.world
      const lose = () => {
        nats.lostSubjects = /OBJ_HOTLIST_FILES/
        return () => {
          nats.lostSubjects = undefined
        }
      }
      forAWhile({ ...stage, until: stage.from + 2_000 }, 1, [7_000, 14_000], () => {
        for (const engine of engines) engine.kill(random.acts.between(200, 1_500))
        return lose()
      })
    },
  },
  {
    name: 'lists change',
    what: 'hot lists are imported, imported again, changed and removed; engines are killed meanwhile',
    holds: true,
    share: 0.08,
    plan(stage) {
      const { world, operator, plans } = stage
      const { random } = world
      const plates = plans
        .flatMap(({ messages }) => messages.flatMap((message) => message.plates))
        .filter((plate) => !world.oracle.watchedPlates.has(plate))
      sometimes(stage, 2 + random.acts.int(6), () => {
        const id = random.acts.pick(['wanted', 'watched'])
        if (random.acts.chance(0.4)) {
          operator.do(`removes list ${id}`, () => removeIfPresent(operator, id))
          // A hit on the list may be published and not yet be in a checkpoint.
          world.clock.schedule(random.acts.between(0, 600), () => {
            if (random.acts.chance(0.7))
              for (const engine of world.engines) engine.kill(random.acts.between(100, 4_000))
          })
          return
        }
        const some = plates.filter(() => random.acts.chance(0.5))
        operator.do(`imports list ${id}`, () => operator.importList(id, some, `reason ${random.acts.int(100)}`))
      })
    },
  },
  {
    name: 'killed after a hit',
    what: 'engines are killed just after a hit; its list is changed or removed, or an hour passes, before they return',
    holds: true,
    share: 0.15,
    plan(stage) {
      const { world, operator, plans, from } = stage
      const { random, clock, server, engines, oracle, trace } = world
      const plates = plans
        .flatMap(({ messages }) => messages.flatMap((message) => message.plates))
        .filter((plate) => !oracle.watchedPlates.has(plate))
      const importList = (some: readonly string[]) =>
        operator.do('imports list briefly', () =>
          operator.importList('briefly', some, `reason ${random.acts.int(1_000)}`),
        )
      clock.schedule(from - 1_500 - clock.now, () => importList(plates))
      let times = 1 + random.acts.int(3)
      world.onStored = (stream) => {
        if (stream.name !== 'HITS' || times === 0 || random.acts.chance(0.5)) return
        times--
        const awayMs = random.acts.between(1_000, 8_000)
        const anHourPasses = random.acts.chance(0.4)
        clock.schedule(random.acts.pick([0, 1, 5, 30, 300]), () => {
          for (const engine of engines) engine.kill(awayMs)
          const change = random.acts.pick(['remove', 'import', 'both', 'none'])
          if (change === 'remove' || change === 'both')
            operator.do('removes list briefly', () => removeIfPresent(operator, 'briefly'))
          if (change === 'import' || change === 'both') importList(plates.filter(() => random.acts.chance(0.6)))
          if (anHourPasses)
            clock.schedule(awayMs - 100, () => {
              trace.note('nats', 'does not know the ids of hits any more')
              server.streams.get('HITS')?.forgetIds()
            })
        })
      }
    },
  },
  {
    name: 'recognizers give up',
    what: 'the recognition threads of an engine do not start any more',
    holds: true,
    share: 0.08,
    plan(stage) {
      const { engines, random, brokenRecognizers, trace } = stage.world
      sometimes(stage, 1, () => {
        const { process } = random.acts.pick(engines)
        if (!process) return
        trace.note(process.name, 'has no recognition threads any more')
        brokenRecognizers.add(process)
      })
    },
  },
  serverClock(
    'server clock ahead',
    'the clock of the NATS server is minutes ahead for a while',
    true,
    [120_000, 900_000],
  ),
  serverClock(
    'server clock behind',
    'the clock of the NATS server is minutes slow for a while',
    false,
    [-900_000, -120_000],
  ),
  engineClocks(
    'engine clocks',
    'the clocks of engines step forward by minutes, or back by seconds',
    true,
    [-3_000, 600_000],
  ),
  engineClocks('engine clocks back', 'the clocks of engines step back by minutes', false, [-600_000, -60_000]),
  {
    name: 'sabotage',
    what: 'messages vanish while no engine runs, which shows that the oracle sees it',
    holds: false,
    share: 0,
    plan(stage) {
      const { server, engines, clock } = stage.world
      sometimes(stage, 4, () => {
        for (const engine of engines) engine.kill(4_000)
        clock.schedule(3_900, () => {
          for (const stream of entrances(stage)) server.as('nobody', () => stream.purge({}))
        })
      })
    },
  },
  {
    name: 'slow frames',
    what: "recognition takes longer for one camera's frames than the time in which they come",
    holds: true,
    share: 0.15,
    configure(config, random) {
      waitForTrim(config, random)
      config.slowFrames = true
      // All cameras share one window.
      if (config.settings.partitions === undefined) return
      config.settings.partitions = 1
      config.mappings = mappingsOf(1)
    },
  },
  {
    name: 'slow frames fill',
    what: "one camera's frames take longer than the time in which they come, and are more than their stream holds",
    holds: true,
    share: 0.1,
    configure(config, random) {
      waitForTrim(config, random)
      config.slowFrames = true
      config.slowBytes = 500
      // A careful engine works on one message at a time.
      config.mostCalmMs = 300_000
      config.settings.framesMaxBytes = 30_000 + random.int(15_000)
      // nats-server 2.9 deletes from a full stream: act `bound of NATS 2.9`.
      config.natsVersion = notOld(config.natsVersion)
      if (config.settings.partitions === undefined) return
      config.settings.partitions = 1
      config.mappings = mappingsOf(1)
    },
    plan({ world, plans }) {
      world.oracle.overloadedCameras.add(plans[0]!.camera)
    },
  },
  {
    name: 'triggered cameras',
    what: 'cameras take one frame of each car at one place, and plates are partly alike',
    holds: true,
    share: 0.08,
    configure(config) {
      config.triggered = true
    },
  },
  {
    name: 'late frames',
    what: 'frames of some cars arrive seconds after newer ones',
    holds: true,
    share: 0.08,
    plan({ world, plans }) {
      for (const { messages } of plans)
        for (const message of messages)
          if (world.random.acts.chance(0.15)) message.sentAt = message.at + world.random.acts.between(3_000, 9_000)
    },
  },
  {
    name: 'sent again later',
    what: 'cameras send messages again two minutes later',
    holds: false,
    share: 0.08,
    plan({ cameras }) {
      cameras.sentAgain = { share: 0.1, afterMs: 150_000 }
    },
  },
]

/** @param version the version of NATS instead of this one */
function boundLowered(name: string, more: string, holds: boolean, version: (chosen: string) => string): Act {
  return {
    name,
    what: `all engines end, messages wait, and the engines start again with a smaller bound${more}`,
    holds,
    share: 0.08,
    configure(config) {
      config.natsVersion = version(config.natsVersion)
    },
    plan(stage) {
      const { clock, random } = stage.world
      const bound = 900 + random.acts.int(2_000)
      restartAll(stage, () => ({ framesMaxBytes: bound, detectionsMaxBytes: bound }))
      // Later the bound is as it was, so that cameras are not refused forever.
      clock.schedule(stage.until + 11_000 - clock.now, () =>
        changeSettings(stage, { framesMaxBytes: 67_108_864, detectionsMaxBytes: 67_108_864 }),
      )
    },
  }
}

function serverClock(name: string, what: string, holds: boolean, by: [least: number, most: number]): Act {
  const plan = (stage: Stage) => {
    const { server, random, trace } = stage.world
    forAWhile(stage, 1, [2_000, 15_000], () => {
      server.clockOffsetMs = random.acts.between(...by)
      trace.note('nats', `has a clock that is off by ${(server.clockOffsetMs / 1_000).toFixed(0)} s`)
      return () => {
        server.clockOffsetMs = 0
      }
    })
  }
  return { name, what, holds, share: 0.08, plan }
}

function engineClocks(name: string, what: string, holds: boolean, by: [least: number, most: number]): Act {
  const plan = (stage: Stage) => {
    const { engines, random, trace } = stage.world
    sometimes(stage, 1 + random.acts.int(3), () => {
      const { process } = random.acts.pick(engines)
      if (!process) return
      process.clockOffsetMs += random.acts.between(...by)
      trace.note(process.name, `has a clock that is off by ${(process.clockOffsetMs / 1_000).toFixed(0)} s`)
    })
  }
  return { name, what, holds, share: 0.08, plan }
}

function waitForTrim(config: { leastCalmMs: number }, _random: Random): void {
  config.leastCalmMs = 45_000
}

const entrances = ({ world }: Stage): Stream[] => [...world.server.streams.values()].filter(isEntrance)

/** Ends all engines, and starts them with other settings after some seconds. */
function restartAll(stage: Stage, changes: () => Parameters<Stage['world']['settingsOf']>[1]): void {
  const { engines, clock, random } = stage.world
  sometimes(stage, 1, () => {
    for (const engine of engines) engine.retire()
    clock.schedule(random.acts.between(500, 10_000), () => changeSettings(stage, changes()))
  })
}

function changeSettings({ world }: Stage, changes: Parameters<Stage['world']['settingsOf']>[1]): void {
  world.trace.note('operator', `changes settings: ${JSON.stringify(changes)}`)
  Object.assign(world.options.settings, changes)
  for (const engine of world.engines) {
    engine.retire()
    engine.settings = world.settingsOf(engine.instance, world.options.settings)
    engine.start()
  }
}

async function removeIfPresent(operator: Stage['operator'], id: string): Promise<void> {
  await operator.removeList(id).catch((error: unknown) => {
    if ((error as { code?: string }).code !== 'ALPR_ERR_HOTLIST_UNKNOWN') throw error
  })
}
