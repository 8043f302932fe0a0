import { parseArgs } from 'node:util'

const HELP = `Usage: npm run faults -- [options]

Causes faults in a running system (kills, slow and broken connections, full disks, clock jumps) and checks that no
frame, read or hit is lost or duplicated. Exit code: 0 every promise held, 1 a promise was broken, 2 wrong usage.

Options:
  --scale         two engines and two gateways, and the faults for them
  --cluster       three NATS servers that keep three copies, and the faults for them
  --only <name>   run only this fault; repeatable
  --rounds <n>    times that each fault is caused (default: 1)
  --seed <n>      seed of the random moments (default: from the clock)
  --long          repeat all setups, each round with another seed, and append every result to a file
  --minutes <n>   how long --long starts new faults; 0 for one whole round (default: 60)
  --out <file>    file that --long appends one JSON line per result to (default: bench/results/faults.jsonl)
  --list          print the names of all faults
  --verbose       print the logs of all parts to standard error
  --json          print the results as one JSON line
  --help          print this help

Examples:
  npm run faults
  npm run faults -- --only "engine killed" --rounds 5 --verbose
  npm run faults -- --long --minutes 480 --out night.jsonl
`

export interface FaultsOptions {
  scale: boolean
  cluster: boolean
  only: string[] | undefined
  rounds: number
  seed: number
  long: boolean
  minutes: number
  out: string
  list: boolean
  verbose: boolean
  json: boolean
}

/** Options of the program, or the text to print and the exit code when there is nothing to run. */
export type Parsed = { options: FaultsOptions } | { text: string; exitCode: 0 | 2 }

export function parseFaultsOptions(args: string[]): Parsed {
  try {
    const { values } = parseArgs({
      args,
      options: {
        scale: { type: 'boolean', default: false },
        cluster: { type: 'boolean', default: false },
        only: { type: 'string', multiple: true },
        rounds: { type: 'string', default: '1' },
        seed: { type: 'string', default: String(Date.now() % 1_000_000) },
        long: { type: 'boolean', default: false },
        minutes: { type: 'string', default: '60' },
        out: { type: 'string', default: 'bench/results/faults.jsonl' },
        list: { type: 'boolean', default: false },
        verbose: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    })
    if (values.help) return { text: HELP, exitCode: 0 }
    const number = (name: 'rounds' | 'seed' | 'minutes', valid: (value: number) => boolean, what: string): number => {
      const value = values[name].trim() === '' ? Number.NaN : Number(values[name])
      if (!valid(value)) throw new Error(`--${name} must be ${what}`)
      return value
    }
    return {
      options: {
        ...values,
        only: values.only,
        rounds: number('rounds', (n) => Number.isInteger(n) && n >= 1, 'a whole number of at least 1'),
        seed: number('seed', (n) => Number.isInteger(n) && n >= 0, 'a whole number of at least 0'),
        minutes: number('minutes', (n) => n >= 0, 'a number of at least 0'),
      },
    }
  } catch (error) {
    // Messages of parseArgs continue with advice on later lines or sentences.
    const reason = (error as Error).message.split('\n')[0]!.replace(/\. To specify.*$/, '')
    return { text: `faults: ${reason}; see --help\n`, exitCode: 2 }
  }
}
