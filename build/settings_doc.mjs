// Writes docs/settings.md from the schema of the settings. Run it after a change of the schema:
//   npm run build:ts && node build/settings_doc.mjs
import { writeFileSync } from 'node:fs'
import { settingsTable } from '../dist/engine/settings.js'

const rows = settingsTable().map(
  ({ key, variable, type, byDefault, description }) =>
    `| \`${key}\` | \`${variable}\` | ${type} | ${byDefault} | ${description} |`,
)
writeFileSync(
  'docs/settings.md',
  `# Settings

Settings come from \`platestream.config.json\` in the working folder (another file: \`--config\`, or
\`PLATESTREAM_CONFIG\`); variables win over the file. A key that does not exist, and a value that is not allowed, is
refused with its name. \`NATS_URL\` and \`CLICKHOUSE_URL\` stand for \`nats.url\` and \`clickhouse.url\`. Generated from
\`engine/settings.ts\`.

    { "dataFolder": "/var/lib/platestream", "gateway": { "port": 8481, "publicUrl": "https://alpr.example.org" } }

| key | variable | type | default | meaning |
|---|---|---|---|---|
${rows.join('\n')}
`,
)
