import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import t from 'tap'

const json = (file: string) => JSON.parse(readFileSync(file, 'utf8'))

t.test('the lock file lists every platform library of chdb', async (t) => {
  // `npm install` drops libraries that the registry lacks, and `npm ci` then rejects the lock file. They are added by
  // hand.
  const locked = Object.keys(json('package-lock.json').packages)
  for (const name of Object.keys(json('node_modules/chdb/package.json').optionalDependencies))
    t.ok(locked.includes(`node_modules/${name}`), name)
})

t.test('package.json lists the core packages', async (t) => {
  const { dependencies, devDependencies } = json('package.json')
  for (const name of ['fastify', 'nats', '@assemblyscript/loader', 'assemblyscript', '@clickhouse/client', 'ws', 'tap'])
    t.ok(dependencies[name] ?? devDependencies[name], name)
})

t.test('the tarball has what a machine without the checkout needs, and no test', async (t) => {
  const text = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const [{ files }] = JSON.parse(text) as [{ files: { path: string }[] }]
  const paths = files.map(({ path }) => path)
  for (const path of [
    'bench/feeds/hotlists/stolen-vehicles.csv',
    'bench/feeds/sample.mcap',
    'deploy/systemd/platestream.service',
    'dist/bench/scenes/mod.js',
    'dist/cli/main.js',
    'dist/engine/chdb/main.js',
    'dist/ui-lite/index.html',
    'dist/wasm/platestream.psm',
    'docs/production.md',
  ])
    t.ok(paths.includes(path), path)
  t.same(
    paths.filter((path) => /^(dist\/test|node_modules|test|wasm\/train)\//.test(path)),
    [],
  )
})
