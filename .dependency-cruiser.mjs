/**
 * The rules of import directions (docs/architecture.md), checked by `npm run lint`. Type-only imports count: a type
 * that travels upward is a dependency too.
 */

/** The rooms of engine/, lowest first. A room imports only rooms that come before it. */
const ENGINE_ROOMS = [
  'errors',
  'runtime',
  'settings',
  'model',
  'nats',
  'geo',
  'cameras',
  'recognize',
  'passes',
  'hotlists',
  'hits',
  'dead_letters',
  'sources',
  'pictures',
  'coordination',
  'partition',
  'chdb',
  'store',
  'pipeline',
  'plate_search',
  'canvass',
  'policy',
  'retention',
  'backup',
  'feeds',
  'ingest',
  'records',
  'engine',
]

/** A room is a folder or one file. */
const room = (names) => `^engine/(${names.join('|')})(/|\\.ts$)`

const onlyDownward = ENGINE_ROOMS.slice(0, -1).map((name, i) => ({
  name: `engine-${name}-imports-lower-rooms-only`,
  comment: 'Imports go downward only: move the type down, or pass the value in.',
  severity: 'error',
  // A door exports what others may import, from any room.
  from: { path: room([name]), pathNot: '^engine/runtime/mod\\.ts$' },
  to: { path: room(ENGINE_ROOMS.slice(i + 1)) },
}))

/** The parts of the product, lowest first. */
const partsDownward = [
  { from: 'wasm', to: 'engine|gateway|cli|bench|ui-lite|test' },
  { from: 'engine', to: 'gateway|cli|bench|ui-lite|test' },
  { from: 'gateway', to: 'cli|bench|ui-lite|test' },
  { from: 'cli', to: 'ui-lite|test' },
  { from: 'ui-lite', to: 'cli|bench|test' },
].map(({ from, to }) => ({
  name: `${from}-imports-lower-parts-only`,
  severity: 'error',
  from: { path: `^${from}/` },
  to: { path: `^(${to})/` },
}))

/** The rooms of gateway/, each with the rooms that it may import. */
const GATEWAY_ROOMS = {
  access: [],
  http: [],
  live: ['access'],
  status: ['live'],
  push: ['access'],
  routes: ['access', 'http', 'live', 'status', 'push'],
}

const gatewayRooms = Object.entries(GATEWAY_ROOMS).map(([name, allowed]) => ({
  name: `gateway-${name}-imports-${allowed.join('-') || 'no-other-room'}`,
  severity: 'error',
  from: { path: `^gateway/${name}/` },
  to: { path: '^gateway/', pathNot: `^gateway/(${[name, ...allowed].join('|')})/` },
}))

export default {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'Two files that import each other are one file: move what both need into a third.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    ...partsDownward,
    ...onlyDownward,
    {
      name: 'engine-files-are-in-rooms',
      comment: 'engine/ itself holds the doors and the three files of ENGINE_ROOMS; everything else is in a room.',
      severity: 'error',
      from: { path: '^engine/[^/]+\\.ts$', pathNot: '^engine/(mod|internal_mod|engine|settings|errors)\\.ts$' },
      to: {},
    },
    {
      name: 'engine-rooms-are-ordered',
      comment: 'A new room needs a place in ENGINE_ROOMS.',
      severity: 'error',
      from: { path: '^engine/[^/]+/', pathNot: room(ENGINE_ROOMS) },
      to: {},
    },
    {
      name: 'engine-through-its-doors',
      comment:
        'Outside engine/, import mod.ts, or runtime/mod.ts, feeds/mod.ts, ingest/mod.ts, chdb/mod.ts. test/engine ' +
        'mirrors files, test/simulation replaces some.',
      severity: 'error',
      from: { pathNot: '^(engine|test/engine|test/simulation)/' },
      to: { path: '^engine/', pathNot: '^engine/((mod|internal_mod)|(runtime|feeds|ingest|chdb)/mod)\\.ts$' },
    },
    {
      name: 'engine-does-not-use-its-own-doors',
      severity: 'error',
      from: { path: '^engine/' },
      to: { path: '^engine/((mod|internal_mod)|(runtime|feeds|ingest|chdb)/mod)\\.ts$' },
    },
    {
      name: 'engine-internals-for-tests-and-bench-only',
      comment: 'Tests and benchmarks check and measure parts by themselves.',
      severity: 'error',
      from: { pathNot: '^(test|bench)/' },
      to: { path: '^engine/internal_mod\\.ts$' },
    },
    {
      name: 'engine-light-door-loads-no-client',
      comment: 'engine/runtime/mod.ts is what commands import that connect to nothing.',
      severity: 'error',
      from: { path: '^engine/runtime/mod\\.ts$' },
      to: {
        path: 'node_modules/(nats|@clickhouse|chdb|sharp|@julusian|@mcap|fastify|prom-client|ajv|@sinclair)/',
        reachable: true,
      },
    },
    {
      name: 'engine-policy-is-pure',
      comment: 'engine/policy is data and functions without I/O; a browser may bundle it.',
      severity: 'error',
      from: { path: '^engine/policy/' },
      to: { pathNot: '^engine/(policy/|model/|errors\\.ts$)' },
    },
    {
      name: 'store-queries-behind-records',
      comment: 'Plate data leaves through engine/records. Only these rooms read the tables themselves.',
      severity: 'error',
      from: { pathNot: '^(engine/(records|store|retention|backup|canvass)/|engine/internal_mod\\.ts$|test/engine/)' },
      to: { path: '^engine/store/queries(/|\\.ts$)' },
    },
    {
      name: 'wasm-internals-for-tests-and-bench-only',
      severity: 'error',
      from: { pathNot: '^(wasm|test|bench)/' },
      to: { path: '^wasm/internal_mod\\.ts$' },
    },
    {
      name: 'plate-statements-behind-records',
      comment: 'The statements of the plate dictionary, and the function that runs a statement.',
      severity: 'error',
      from: { pathNot: '^(engine/(records|store|retention|backup|canvass|plate_search)|test/engine)/' },
      to: { path: '^engine/store/(plate_queries|query_rows)\\.ts$' },
    },
    ...gatewayRooms,
    {
      name: 'bench-does-not-import-tests',
      comment: 'bench/match/oracles.ts checks the search that it measures against the twins of the tests.',
      severity: 'error',
      from: { path: '^bench/', pathNot: '^bench/match/oracles\\.ts$' },
      to: { path: '^test/' },
    },
    {
      name: 'gateway-through-its-door',
      severity: 'error',
      from: { pathNot: '^(gateway|test/gateway|ui-lite)/' },
      to: { path: '^gateway/', pathNot: '^gateway/mod\\.ts$' },
    },
    {
      name: 'wasm-through-its-doors',
      severity: 'error',
      from: { pathNot: '^(wasm/|test/wasm/|build/wasm\\.mjs$)' },
      to: { path: '^wasm/', pathNot: '^wasm/(mod|internal_mod|node|browser|load_node)\\.ts$' },
    },
    {
      name: 'ui-lite-imports-only-types-of-the-server',
      severity: 'error',
      from: { path: '^ui-lite/' },
      to: { path: '^(engine|gateway)/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'scenes-for-cli-feed-and-bench-only',
      comment: 'The renderer of synthetic traffic is no part of the product; `cli feed` loads it lazily.',
      severity: 'error',
      from: { pathNot: '^(bench/|test/bench/|cli/commands/feed\\.ts$)' },
      to: { path: '^bench/scenes/' },
    },
    {
      name: 'cli-imports-only-scenes-of-bench',
      severity: 'error',
      from: { path: '^cli/' },
      to: { path: '^bench/', pathNot: '^bench/scenes/' },
    },
    {
      name: 'no-development-packages-in-the-product',
      severity: 'error',
      from: { path: '^(cli|engine|gateway|wasm)/', pathNot: '^wasm/assembly/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'imports-resolve',
      severity: 'error',
      // errors_doc.mjs imports what the build makes.
      from: { pathNot: '^(wasm/assembly/|build/errors_doc\\.mjs$)' },
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|wasm/train)/' },
    // The compiler resolves names, so that './x.js' finds x.ts; type-only imports are followed as well.
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
    skipAnalysisNotInRules: true,
  },
}
