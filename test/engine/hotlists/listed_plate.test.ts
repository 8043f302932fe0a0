import t from 'tap'
import { parseListedPlate } from '../../../engine/hotlists/listed_plate.js'

t.test('a listed plate loses separators and accents', async (t) => {
  for (const [text, plate] of [
    ['7abc 123', '7ABC123'],
    ['BÖ-AB 12', 'BOAB12'],
    [' rj·4o5 ', 'RJ4O5'],
    ['КА123', 'KA123'],
    ['ＡＢＣ１２３', 'ABC123'],
  ])
    t.same(parseListedPlate(text!), { plate })
})

t.test('patterns, other scripts, empty and too long plates are refused with a reason', async (t) => {
  for (const text of ['', ' - ', 'ABC?23', '7A*', '[8B]AC', 'ЖЩ123', 'ABCDEFGHIJKLM'])
    t.ok('reason' in parseListedPlate(text), text)
})
