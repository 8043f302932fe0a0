// Writes docs/errors.md from the error tables. Run it after a change of a table:
//   npm run build:ts && node build/errors_doc.mjs
import { writeFileSync } from 'node:fs'
import { errorTable } from '../dist/engine/errors.js'

const rows = errorTable().map(
  ({ code, message, status }) => `| \`${code}\` | ${status} | ${message.replaceAll('|', '\\|')} |`,
)
writeFileSync(
  'docs/errors.md',
  `# Error codes

Codes are stable and never reused. The HTTP API answers with \`{ "code", "message", "details" }\`. A command prints
\`code: message\` and exits with 1. A dead letter has its code in the header \`Dead-Reason\`. Generated from
\`engine/errors.ts\` and \`wasm/errors.ts\`.

| code | HTTP | message |
|---|---|---|
${rows.join('\n')}
`,
)
