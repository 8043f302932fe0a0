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
