import { readFileSync } from 'node:fs'
import t from 'tap'

const json = (file: string) => JSON.parse(readFileSync(file, 'utf8'))

t.test('the lock file names every platform library of chdb', async (t) => {
  // `npm install` leaves out those that its registry does not have, and `npm ci` then refuses the lock file: they are
  // kept by hand.
  const locked = Object.keys(json('package-lock.json').packages)
  for (const name of Object.keys(json('node_modules/chdb/package.json').optionalDependencies))
    t.ok(locked.includes(`node_modules/${name}`), name)
})

t.test('the packages that the project is built on are there', async (t) => {
  const { dependencies, devDependencies } = json('package.json')
  for (const name of ['fastify', 'nats', '@assemblyscript/loader', 'assemblyscript', '@clickhouse/client', 'ws', 'tap'])
    t.ok(dependencies[name] ?? devDependencies[name], name)
})
