import { readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import type { Command } from 'commander'
import { AlprError, reasonOf } from '../../engine/runtime/mod.js'
import { interruptSignal } from '../interrupt.js'
import { bytesText, printJson, printLine, progressBar, secondsText } from '../output.js'

interface RenderCommandOptions {
  out: string
  truth?: string
  force?: boolean
  json?: boolean
}

export function registerFeed(program: Command): void {
  const feed = program.command('feed').description('make feeds (MCAP)')

  feed
    .command('render')
    .description('render synthetic traffic from a YAML file into a feed, with its ground truth')
    .argument('<file>', 'YAML: cameras, fps, duration, size, light, rain, lanes, speed ... (docs/feeds.md)')
    .requiredOption('--out <file>', 'feed to write, e.g. night.mcap')
    .option('--truth <file>', 'ground truth to write (default for night.mcap: night.truth.json)')
    .option('--force', 'overwrite existing files')
    .option('--json', 'print one JSON line at the end')
    .addHelpText(
      'after',
      `
The same YAML always gives the same bytes. Examples are in bench/feeds/. Ctrl-C cancels and keeps nothing.

Examples:
  platestream feed render bench/feeds/2cam-10fps-day.yaml --out day.mcap
  platestream feed render bench/feeds/40cam-5fps-night.yaml --out night.mcap`,
    )
    .action(async (file: string, options: RenderCommandOptions) => {
      // Loaded here because no other command needs the renderer.
      const { framesOf, parsePlan, renderFeed } = await import('../../bench/scenes/mod.js')
      const text = readText(file)
      const plan = parsePlan(text, file)
      const truth = options.truth ?? `${options.out.replace(/\.mcap$/, '')}.truth.json`
      const targets = [options.out, truth]
      if (!options.force)
        for (const target of targets)
          if (exists(target))
            throw new AlprError('ALPR_ERR_FEED_INVALID', {
              file: target,
              reason: 'this file already exists; --force overwrites it',
            })
      // Written under another name first: a feed under its final name is complete.
      const asides = targets.map((target) => `${target}.part`) as [string, string]
      const signal = interruptSignal()
      const total = framesOf(plan)
      const bar = progressBar(total, 'frames', '{rate} frames/s  {size}  ETA {eta_formatted}', options.json)
      const began = performance.now()
      try {
        const summary = await renderFeed(plan, {
          out: asides[0],
          truth: asides[1],
          recipe: { name: basename(file), text },
          signal,
          onProgress: (frames, bytes) => bar.update(frames, { rate: rate(frames, began), size: bytesText(bytes) }),
        })
        bar.stop()
        if (signal.aborted)
          throw new AlprError('ALPR_ERR_FEED_INVALID', {
            file: options.out,
            reason: `cancelled after ${summary.frames} of ${total} frames; nothing was kept`,
          })
        asides.forEach((aside, i) => renameSync(aside, targets[i]!))
        const bytes = statSync(options.out).size
        if (options.json)
          printJson({ out: options.out, truth, ...summary, bytes, ms: Math.round(performance.now() - began) })
        else {
          printLine(
            `${summary.frames} frames (${bytesText(bytes)}) of ${summary.cameras} cameras in ` +
              `${secondsText(performance.now() - began)}, ${rate(summary.frames, began)} frames/s: ${options.out}`,
          )
          printLine(
            `${summary.passes} vehicles, ${summary.withPlate} with a plate: ${truth}; ` +
              `replay with: platestream replay ${options.out}`,
          )
        }
      } catch (error) {
        bar.stop()
        for (const aside of asides) rmSync(aside, { force: true })
        throw error
      }
    })
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new AlprError('ALPR_ERR_FEED_INVALID', { file, reason: reasonOf(error) }, { cause: error })
  }
}

const rate = (frames: number, began: number): string =>
  (frames / Math.max(0.001, (performance.now() - began) / 1_000)).toFixed(1)
const exists = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined
