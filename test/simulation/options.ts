import { parseArgs } from 'node:util'

export interface Options {
  from: number
  seeds: number
  /** Names of acts; undefined: each seed chooses. */
  acts: string[] | undefined
  /** Print every line of the trace. */
  trace: boolean
  /** A JSON line for each seed on standard output. */
  json: boolean
  /** Processes that share the seeds. */
  jobs: number
  list: boolean
}

export const USAGE = `npm run simulate -- [--seeds N] [--from S] [--seed S [--trace]] [--acts NAME,NAME]
                     [--jobs N] [--json] [--list]

Plays seeds of the simulation: the engine's own code in virtual time against a simulated NATS, store and network.
  --seeds N   how many seeds (100)
  --from S    the first seed (1)
  --seed S    plays one seed; --trace prints everything that happens in it
  --acts A,B  what happens, by name; without it each seed chooses among the acts that hold
  --jobs N    processes that share the seeds (1)
  --json      prints one JSON line for each seed
  --list      prints the acts
Exit code 1: a seed has findings; 2: wrong usage.
`

/** @returns the options, or what is wrong with them */
export function parseOptions(args: string[]): Options | { error: string } {
  try {
    const { values } = parseArgs({
      args,
      options: {
        seeds: { type: 'string' },
        from: { type: 'string' },
        seed: { type: 'string' },
        acts: { type: 'string' },
        jobs: { type: 'string' },
        trace: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        list: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    })
    if (values.help) return { error: '' }
    const number = (name: string, value: string | undefined, other: number) => {
      if (value === undefined) return other
      if (!/^\d{1,12}$/.test(value)) throw new Error(`--${name} ${value} is not a number`)
      return Number(value)
    }
    const one = values.seed !== undefined
    return {
      from: one ? number('seed', values.seed, 1) : number('from', values.from, 1),
      seeds: one ? 1 : number('seeds', values.seeds, 100),
      acts: values.acts?.split(','),
      jobs: Math.max(1, number('jobs', values.jobs, 1)),
      trace: values.trace,
      json: values.json,
      list: values.list,
    }
  } catch (error) {
    return { error: (error as Error).message }
  }
}
