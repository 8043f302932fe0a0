/**
 * Loaded first into the processes under test (`node --import`): at each SIGUSR2 the process collects its garbage and
 * writes what is left to `<folder>/<pid>.json`. Without the collection nobody could tell garbage from memory in use.
 */
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isMainThread } from 'node:worker_threads'
import { collectGarbage } from './collect_garbage.js'

const folder = process.env.BENCH_MEMORY_FOLDER
if (folder && isMainThread)
  process.on('SIGUSR2', () => {
    const file = join(folder, `${process.pid}.json`)
    writeFileSync(`${file}.new`, JSON.stringify(collectGarbage()))
    renameSync(`${file}.new`, file)
  })
