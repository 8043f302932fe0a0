import type { Chance } from './random.js'

export type Region = 'us' | 'eu'

/** What a plate says, and how it is set out; `shown` has the blanks. */
export interface Serial {
  region: Region
  /** State or country of issue. */
  state: string
  /** As it is read: letters and digits. */
  text: string
  shown: string
}

/** 9: a digit, A: a letter. */
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

/** Without I, O and Q, which issuers leave out because they look like digits. */
const kLetters = 'ABCDEFGHJKLMNPRSTUVWXYZ'

export function drawSerial(region: Region, chance: Chance): Serial {
  const { state, pattern } = chance.of(kPatterns[region])
  const shown = pattern.replace(/[9A]/g, (kind) =>
    kind === 'A'
      ? kLetters[chance.below(kLetters.length)]!
      : kind === '9' && state === 'CA'
        ? String(1 + chance.below(9))
        : String(chance.below(10)),
  )
  return { region, state, shown, text: shown.replace(/[^0-9A-Z]/g, '') }
}
