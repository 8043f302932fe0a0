import { Type } from '@sinclair/typebox'
import fc from 'fast-check'
import t from 'tap'
import { faultText, parserOf, schemaFault, validate } from '../../../engine/runtime/validate.js'

const strict = { additionalProperties: false }
const Schema = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 8 }),
    size: Type.Integer({ minimum: 1, maximum: 9, default: 3 }),
    kind: Type.Optional(Type.Union([Type.Literal('fixed'), Type.Literal('mobile'), Type.Literal('trailer')])),
    mode: Type.Optional(Type.Literal('on')),
    colour: Type.Optional(Type.Unsafe<string>({ enum: ['red', 'green'] })),
    spots: Type.Optional(Type.Array(Type.Object({ lat: Type.Number({ maximum: 90 }) }, strict), { maxItems: 3 })),
  },
  strict,
)

class Refused extends Error {}
const parse = parserOf<{ name: string; size: number }>(Schema, (fault) => new Refused(faultText(fault, 'record')))

t.test('a fault is a sentence that names the field and the limit', async (t) => {
  const cases: [unknown, string][] = [
    [{ name: '', size: 1 }, 'name must NOT have fewer than 1 characters'],
    [{ name: 'a', size: 0 }, 'size must be >= 1'],
    [{ name: 'a', size: '5' }, 'size must be integer'],
    [{ name: 'a', kind: 'flying' }, 'kind must be one of fixed, mobile, trailer'],
    [{ name: 'a', kind: 5 }, 'kind must be string'],
    [{ name: 'a', mode: 'off' }, 'mode must be on'],
    [{ name: 'a', colour: 'blue' }, 'colour must be one of red, green'],
    [{ name: 'a', spots: [{ lat: 1 }, { lat: 91 }] }, 'spots.1.lat must be <= 90'],
    [{ name: 'a', spots: [{ lat: 1, lon: 2 }] }, 'there is no field spots.0.lon'],
    [{ name: 'a', more: 1 }, 'there is no field more'],
    [{ name: 'a', ['x'.repeat(99)]: 1 }, `there is no field ${'x'.repeat(64)}`],
    [{}, "record must have required property 'name'"],
    ['text', 'record must be object'],
    [null, 'record must be object'],
  ]
  for (const [value, message] of cases) t.throws(() => parse(value), { message }, message)
})

t.test('a fault without errors, and a path with escaped characters', async (t) => {
  t.equal(faultText(schemaFault([])), 'it is not valid')
  t.equal(faultText(schemaFault(undefined), 'record'), 'record is not valid')
  const error = { keyword: 'type', instancePath: '/a~1b/c~0d', message: 'must be string', params: {} }
  t.same(schemaFault([error]), { field: 'a/b.c~d', unknown: false, limit: 'must be string' })
})

t.test('a valid value comes back as a copy with defaults; in place on request', async (t) => {
  const value = { name: 'a', spots: [{ lat: 1 }] }
  const parsed = parse(value)
  t.same(parsed, { name: 'a', size: 3, spots: [{ lat: 1 }] })
  t.notOk('size' in value)
  const parseInPlace = parserOf<object>(Schema, () => new Refused(), { copy: false })
  t.equal(parseInPlace(value), value)
  t.ok('size' in value)
})

t.test('a request names the field in its details', async (t) => {
  t.same(validate(Schema, { name: 'a' }), { name: 'a', size: 3 })
  const refused = (field: string, reason: string) => ({ code: 'ALPR_ERR_REQUEST_INVALID', details: { field, reason } })
  t.throws(() => validate(Schema, { name: 'a', size: 10 }), refused('size', 'size must be <= 9'))
  t.throws(() => validate(Schema, { name: 'a', more: 1 }), refused('more', 'there is no field more'))
  t.throws(() => validate(Schema, 7), refused('question', 'question must be object'))
})

t.test('any JSON is either returned unchanged but for defaults or refused with one line', async () => {
  const near = fc.record(
    {
      name: fc.oneof(fc.string({ maxLength: 10 }), fc.jsonValue()),
      size: fc.oneof(fc.integer({ min: -2, max: 12 }), fc.jsonValue()),
      kind: fc.constantFrom('fixed', 'mobile', 'trailer', 'flying', 1),
      more: fc.jsonValue(),
    },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), near), (value) => {
      const before = JSON.stringify(value)
      try {
        const parsed = parse(value)
        const size = (value as { size?: number }).size ?? 3
        return JSON.stringify(value) === before && parsed.size === size && size >= 1 && size <= 9
      } catch (error) {
        const fault = (error as Error).message
        return error instanceof Refused && JSON.stringify(value) === before && fault.length > 5 && fault.length < 200
      }
    }),
    { numRuns: 500 },
  )
})
