import { createWriteStream } from 'node:fs'
import { once } from 'node:events'
import { Plates, STATE_SHAPES } from '../random/plates.js'

/** Writes a hot list as agencies send it: CSV with a header, a random plate, a reason and a state in each line. */
export async function writeListFile(path: string, entries: number, seed: number): Promise<void> {
  const random = new Plates(seed)
  const file = createWriteStream(path)
  file.write('plate,reason,state\n')
  for (let from = 0; from < entries; from += 10_000) {
    const lines = Array.from(
      { length: Math.min(10_000, entries - from) },
      (_, i) => `${random.text(random.pick(STATE_SHAPES))},stolen vehicle case ${from + i},US-CA\n`,
    )
    if (!file.write(lines.join(''))) await once(file, 'drain')
  }
  file.end()
  await once(file, 'close')
}
