import { parseArgs } from 'node:util'
import { AlprError } from '../engine/runtime/mod.js'
import type { Measured } from './report/result.js'

/** One option of a benchmark: what `--help` prints about it, and how its text becomes a value. */
export interface Option<T> {
  type: 'string' | 'boolean'
  multiple: boolean
  /** Placeholder of the value in the help, e.g. `FILE`; empty for a flag. */
  placeholder: string
  /** The default as the help prints it; undefined when the option has none. */
  shownDefault?: string
  help: string
  /** @throws ALPR_ERR_USAGE */
  parse(given: string | boolean | string[] | undefined, name: string): T
}

export type Options = Record<string, Option<unknown>>
export type Values<O extends Options> = { [K in keyof O]: O[K] extends Option<infer T> ? T : never }

/** A number of at least `least`. */
export const number = (initial: number, help: string, least = 0): Option<number> => ({
  type: 'string',
  multiple: false,
  placeholder: 'N',
  shownDefault: String(initial),
  help,
  parse(given, name) {
    if (given === undefined) return initial
    const value = given === '' ? Number.NaN : Number(given)
    if (!(value >= least)) throw usage(`--${name} must be a number of at least ${least}, not '${given}'`)
    return value
  },
})

export const text = (placeholder: string, initial: string, help: string): Option<string> => ({
  ...optionalText(placeholder, help),
  shownDefault: initial,
  parse: (given) => (given as string | undefined) ?? initial,
})

export const optionalText = (placeholder: string, help: string): Option<string | undefined> => ({
  type: 'string',
  multiple: false,
  placeholder,
  help,
  parse: (given) => given as string | undefined,
})

/** One of a few values. */
export const choice = (values: readonly string[], help: string): Option<string | undefined> => ({
  type: 'string',
  multiple: false,
  placeholder: values.join('|'),
  help,
  parse: (given, name) => oneOf(values, given as string | undefined, name),
})

/** Values of a few; the option may be given several times. */
export const choices = (
  placeholder: string,
  values: readonly string[],
  help: string,
): Option<string[] | undefined> => ({
  type: 'string',
  multiple: true,
  placeholder,
  help,
  parse: (given, name) => (given as string[] | undefined)?.map((one) => oneOf(values, one, name)!),
})

function oneOf(values: readonly string[], given: string | undefined, name: string): string | undefined {
  if (given === undefined || values.includes(given)) return given
  throw usage(`--${name} must be one of ${values.join(', ')}, not '${given}'`)
}

/** A flag; one that is on by default is turned off by `--no-<name>`. */
export const flag = (initial: boolean, help: string): Option<boolean> => ({
  type: 'boolean',
  multiple: false,
  placeholder: '',
  shownDefault: initial ? 'on' : 'off',
  help,
  parse: (given) => (given as boolean | undefined) ?? initial,
})

/** What a benchmark is, in one table: its help and its options come from here. */
export interface BenchmarkSpec<O extends Options> {
  question: string
  method: string
  options: O
  /** Names of the positional arguments; all are required. */
  operands?: readonly string[]
  /** Goal figures, a line each; empty when the project sets none. */
  goals: readonly string[]
  /** @returns figures to save, or nothing when the benchmark only prints */
  // biome-ignore lint/suspicious/noConfusingVoidType: a benchmark that only prints needs no return statement
  run(values: Values<O>, operands: readonly string[]): Promise<Measured | void>
}

export interface Benchmark {
  options: Options
  /** The text of `--help`. */
  help(name: string, summary: string): string
  /** @throws ALPR_ERR_USAGE for an unknown option or a bad value */
  // biome-ignore lint/suspicious/noConfusingVoidType: as in BenchmarkSpec
  run(args: readonly string[]): Promise<Measured | void>
}

export function defineBenchmark<O extends Options>(spec: BenchmarkSpec<O>): Benchmark {
  return {
    options: spec.options,
    help: (name, summary) => helpOf(spec as unknown as BenchmarkSpec<Options>, name, summary),
    run: async (args) => {
      const { values, operands } = parse(spec, args)
      return spec.run(values, operands)
    },
  }
}

function parse<O extends Options>(spec: BenchmarkSpec<O>, args: readonly string[]) {
  const names = Object.keys(spec.options)
  const { values: given, positionals } = parseStrictly(args, spec)
  const expected = spec.operands ?? []
  if (positionals.length !== expected.length)
    throw usage(
      expected.length === 0
        ? `unexpected argument '${positionals[0]}'`
        : `expects ${expected.length} arguments: ${expected.join(', ')}`,
    )
  const values = Object.fromEntries(names.map((name) => [name, spec.options[name]!.parse(given[name], name)]))
  return { values: values as Values<O>, operands: positionals }
}

type Given = { values: Record<string, string | boolean | string[] | undefined>; positionals: string[] }

function parseStrictly(args: readonly string[], { options }: { options: Options }): Given {
  try {
    return parseArgs({
      args: [...args],
      options: Object.fromEntries(
        Object.entries(options).map(([name, { type, multiple }]) => [name, { type, multiple }]),
      ),
      allowPositionals: true,
      allowNegative: true,
    }) as Given
  } catch (error) {
    // Node appends advice on positional arguments to its message; the first sentence names the fault.
    const [fault] = (error as Error).message.split(/\.\s|\n/)
    throw usage(`${fault!.replace(/^./, (letter) => letter.toLowerCase())}; --help lists the options`)
  }
}

const usage = (reason: string): AlprError => new AlprError('ALPR_ERR_USAGE', { reason })

function helpOf(
  { question, method, options, operands = [], goals }: BenchmarkSpec<Options>,
  name: string,
  summary: string,
) {
  const entries = [
    ...Object.entries(options).map(([key, { placeholder, shownDefault, help }]) => [
      shownDefault === 'on' ? `--[no-]${key}` : `--${key}${placeholder && ` ${placeholder}`}`,
      shownDefault === undefined ? help : `${help} (default: ${shownDefault})`,
    ]),
    ['--help', 'print this text'],
  ]
  const width = Math.max(...entries.map(([term]) => term!.length)) + 2
  return [
    ['usage: npm run bench --', name, ...operands.map((operand) => `<${operand}>`), '[options]'].join(' '),
    '',
    wrapped(`${name}: ${summary}`),
    '',
    wrapped(`Question: ${question}`),
    '',
    wrapped(`Method: ${method}`),
    '',
    'options:',
    ...entries.map(([term, help]) => `  ${term!.padEnd(width)}${wrapped(help!, 96 - width, ' '.repeat(width + 2))}`),
    '',
    goals.length > 0 ? 'goals:' : 'goals: none',
    ...goals.map((goal) => `  ${goal}`),
  ].join('\n')
}

/** Breaks a text into lines of at most `width` characters; the lines after the first begin with `indent`. */
function wrapped(words: string, width = 98, indent = ''): string {
  const lines: string[] = []
  let line = ''
  for (const word of words.split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = ''
    }
    line += line === '' ? word : ` ${word}`
  }
  return [...lines, line].join(`\n${indent}`)
}
