import { forAWhile, sometimes, type Act } from './act.js'
import { isEntrance } from './entrances.js'

/** Faults of processes, servers, network and disks. */
export const FAULTS: Act[] = [
  {
    name: 'kills',
    what: 'engines are killed at any instant and start again',
    holds: true,
    share: 0.4,
    plan(stage) {
      const { random, engines } = stage.world
      sometimes(stage, 1 + random.acts.int(4), () => random.acts.pick(engines).kill(random.acts.between(200, 9_000)))
    },
  },
  {
    name: 'stops',
    what: 'engines end properly and start again',
    holds: true,
    share: 0.4,
    plan(stage) {
      const { random, engines } = stage.world
      sometimes(stage, 1 + random.acts.int(2), () => random.acts.pick(engines).stop(random.acts.between(200, 3_000)))
    },
  },
  {
    name: 'pauses',
    what: 'an engine is paused, and its leases expire',
    holds: true,
    share: 0.4,
    plan(stage) {
      const { random, engines, clock, trace } = stage.world
      sometimes(stage, 1 + random.acts.int(2), () => {
        const { process } = random.acts.pick(engines)
        if (!process) return
        process.pausedUntil = clock.now + random.acts.between(500, 15_000)
        trace.note(process.name, `is paused until ${process.pausedUntil.toFixed(0)}`)
      })
    },
  },
  {
    name: 'disconnects',
    what: 'connections break, for an instant or for seconds',
    holds: true,
    share: 0.4,
    plan(stage) {
      const { random, engines, network, clock } = stage.world
      sometimes(stage, 1 + random.acts.int(4), () => {
        const process = random.acts.chance(0.25) ? stage.cameras.process : random.acts.pick(engines).process
        if (!process?.alive) return
        network.break(process)
        if (random.acts.chance(0.5)) return
        network.cutOff.add(process)
        clock.schedule(random.acts.between(300, 8_000), () => network.cutOff.delete(process))
      })
    },
  },
  {
    name: 'nats restarts',
    what: 'nats-server is killed and starts again',
    holds: true,
    share: 0.4,
    plan(stage) {
      const { random, server, trace, clock } = stage.world
      sometimes(stage, 1 + random.acts.int(2), () => {
        if (!server.isUp) return
        trace.note('nats', 'is killed')
        server.stop()
        clock.schedule(random.acts.between(100, 6_000), () => {
          trace.note('nats', 'starts again')
          server.start()
        })
      })
    },
  },
  {
    name: 'lost answers',
    what: 'JetStream carries requests out and the answers get lost',
    holds: true,
    share: 0.4,
    plan(stage) {
      const { nats, random, trace } = stage.world
      forAWhile(stage, 1 + random.acts.int(3), [500, 8_000], () => {
        nats.lostAnswers = random.acts.between(0.01, 0.3)
        trace.note('nats', `loses ${(nats.lostAnswers * 100).toFixed(0)} % of its answers`)
        return () => {
          nats.lostAnswers = 0
        }
      })
    },
  },
  {
    name: 'slow nats',
    what: 'answers of JetStream take up to seconds',
    holds: true,
    share: 0.4,
    plan(stage) {
      const { nats, random } = stage.world
      const usual = nats.answerDelayMs
      forAWhile(stage, 1 + random.acts.int(2), [500, 6_000], () => {
        nats.answerDelayMs = random.acts.pick([20, 200, 1_500, 6_000])
        return () => {
          nats.answerDelayMs = usual
        }
      })
    },
  },
  {
    name: 'slow network',
    what: 'the network delays everything',
    holds: true,
    share: 0.4,
    plan(stage) {
      const { network, random } = stage.world
      forAWhile(stage, 1 + random.acts.int(2), [500, 6_000], () => {
        network.conditions.delayMs = random.acts.pick([5, 40, 400])
        return () => {
          network.conditions.delayMs = 0.3
        }
      })
    },
  },
  {
    name: 'store failures',
    what: 'inserts fail, are carried out in part, or their answers get lost; the store is away',
    holds: true,
    share: 0.4,
    plan(stage) {
      const { store, random } = stage.world
      forAWhile(stage, 1 + random.acts.int(3), [500, 8_000], () => {
        if (random.acts.chance(0.4)) store.isUp = false
        else store.conditions.failures = random.acts.between(0.1, 0.7)
        store.conditions.delayMs = random.acts.pick([8, 8, 300, 2_000])
        return () => {
          store.isUp = true
          store.conditions.failures = 0
          store.conditions.delayMs = 8
        }
      })
    },
  },
  {
    name: 'full disks',
    what: 'the disks of the pictures are slow or full',
    holds: true,
    share: 0.4,
    plan(stage) {
      const { disks, random } = stage.world
      forAWhile(stage, 1, [500, 8_000], () => {
        disks.conditions.isFull = random.acts.chance(0.5)
        disks.conditions.delayMs = random.acts.pick([50, 500])
        return () => {
          disks.conditions.isFull = false
          disks.conditions.delayMs = 2
        }
      })
    },
  },
  {
    name: 'sent again',
    what: 'cameras send messages again under the same id, and NATS has forgotten some ids',
    holds: true,
    share: 0.4,
    plan(stage) {
      const { server, random } = stage.world
      stage.cameras.sentAgain = { share: random.acts.between(0.05, 0.4), afterMs: 300 }
      sometimes(stage, random.acts.int(6), () => {
        for (const stream of server.streams.values()) if (isEntrance(stream)) stream.forgetIds()
      })
    },
  },
]
