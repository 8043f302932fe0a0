import type { RandomStream } from './random.js'

export type Region = 'us' | 'eu'

/** The text of a plate and its layout; `shown` includes the blanks. */
export interface Serial {
  region: Region
  /** State or country of issue. */
  state: string
  /** The text to read: letters and digits. */
  text: string
  shown: string
}

/** Shapes: 9 is a digit, A a letter. */
const kPatterns: Record<Region, readonly { state: string; pattern: string }[]> = {
  us: [
    { state: 'CA', pattern: '9AAA999' },
    { state: 'CA', pattern: '9AAA999' },
    { state: 'CA', pattern: '9AAA999' },
    { state: 'WA', pattern: 'AAA9999' },
    { state: 'AZ', pattern: 'AAA9999' },
  ],
  eu: [
    { state: 'D', pattern: 'AA AA 999' },
    { state: 'D', pattern: 'AAA A 9999' },
    { state: 'F', pattern: 'AA-999-AA' },
    { state: 'NL', pattern: 'AA-999-A' },
  ],
}

/** Without I, O and Q, which issuers avoid because they look like digits. */
const kLetters = 'ABCDEFGHJKLMNPRSTUVWXYZ'

export function drawSerial(region: Region, random: RandomStream): Serial {
  const { state, pattern } = random.of(kPatterns[region])
  const shown = pattern.replace(/[9A]/g, (kind) =>
    kind === 'A'
      ? kLetters[random.below(kLetters.length)]!
      : kind === '9' && state === 'CA'
        ? String(1 + random.below(9))
        : String(random.below(10)),
  )
  return { region, state, shown, text: shown.replace(/[^0-9A-Z]/g, '') }
}
