import { SingleBar, Presets } from 'cli-progress'
import { mostOf } from '../engine/runtime/mod.js'
import { terminalText, terminalWord } from './terminal_text.js'

/**
 * Whether a person watches the terminal: only then do commands show progress bars. The bars go to standard error, so
 * that standard output holds only the answer.
 */
export const isWatched = (): boolean => process.stderr.isTTY === true

/** Prints a line; like everything that this file prints, without control characters. */
export const printLine = (text: string): void => {
  process.stdout.write(`${terminalText(text)}\n`)
}
export const printJson = (value: unknown): void => printLine(JSON.stringify(value))
/** Prints a line for people to standard error. */
export const printNote = (text: string): void => {
  process.stderr.write(`${terminalText(text)}\n`)
}

/** Prints a table for people. Each column is as wide as its widest cell; the last one is not padded. */
export function printTable(head: string[], rows: (string | number)[][]): void {
  const all = [head, ...rows].map((row) => row.map((cell) => terminalWord(String(cell))))
  const widths = head.map((_, i) => mostOf(all.map((row) => row[i]?.length ?? 0)))
  for (const row of all)
    printLine(
      row
        .map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i]!)))
        .join('  ')
        .trimEnd(),
    )
}

export interface Progress {
  /** @param total given once it is known */
  update(done: number, facts?: Record<string, string>, total?: number): void
  stop(): void
}

/**
 * A progress bar that shows the facts that `format` names as `{name}`. It shows nothing when nobody watches or when
 * `quiet`. @param total 0 when it is unknown
 */
export function progressBar(total: number, unit: string, format = '', quiet = false): Progress {
  if (quiet || !isWatched()) return { update: () => {}, stop: () => {} }
  const shape = total > 0 ? `{bar} {value}/{total} ${unit}` : `{value} ${unit}`
  const bar = new SingleBar(
    {
      format: `${shape}  ${format}`,
      stream: process.stderr,
      hideCursor: true,
      clearOnComplete: false,
      fps: 5,
      etaBuffer: 200,
    },
    Presets.shades_classic,
  )
  const names = [...format.matchAll(/\{(\w+)\}/g)]
    .map((m) => m[1]!)
    .filter((name) => !/^(eta|duration|percentage)/.test(name))
  bar.start(total, 0, Object.fromEntries(names.map((name) => [name, '-'])))
  return {
    update: (done, facts = {}, known = total) => {
      if (known > 0 && known !== bar.getTotal()) bar.setTotal(known)
      bar.update(done, Object.fromEntries(Object.entries(facts).map(([name, fact]) => [name, terminalWord(fact)])))
    },
    stop: () => bar.stop(),
  }
}

export const bytesText = (bytes: number): string =>
  bytes >= 1e9
    ? `${(bytes / 1e9).toFixed(1)} GB`
    : bytes >= 1e6
      ? `${(bytes / 1e6).toFixed(1)} MB`
      : bytes >= 1e3
        ? `${(bytes / 1e3).toFixed(1)} kB`
        : `${bytes} B`

export const secondsText = (ms: number): string =>
  ms < 9_950
    ? `${(ms / 1000).toFixed(1)} s`
    : ms < 120_000
      ? `${Math.round(ms / 1000)} s`
      : `${Math.round(ms / 60_000)} min`
