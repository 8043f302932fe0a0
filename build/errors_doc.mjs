// Writes docs/errors.md from the tables of codes. Run after a change of a table: npm run build:ts && node
// build/errors_doc.mjs
import { writeFileSync } from 'node:fs'
import { errorTable } from '../dist/engine/errors.js'

const rows = errorTable().map(
  ({ code, message, status }) => `| \`${code}\` | ${status} | ${message.replaceAll('|', '\\|')} |`,
)
writeFileSync(
  'docs/errors.md',
  `# Error codes

One table, stable codes, never reused. An answer over HTTP is \`{ "code", "message", "details" }\`; a command prints \`code: message\` and
exits with 1; a frame on stream DEAD has its code in the header \`Dead-Reason\`. Generated from \`engine/errors.ts\` and \`wasm/errors.ts\`.

| code | HTTP | message |
|---|---|---|
${rows.join('\n')}
`,
)
