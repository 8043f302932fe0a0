// Checks the line limit where the formatter does not: string literals and comments, AssemblyScript, Python, shell.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

const LIMIT = 120
const files = execFileSync('git', ['ls-files', '*.ts', '*.tsx', '*.mjs', '*.py', '*.css', '*.html', '.ci/*'], {
  encoding: 'utf8',
})
let long = 0
for (const file of files.trim().split('\n')) {
  readFileSync(file, 'utf8')
    .split('\n')
    .forEach((line, i) => {
      // Characters, not UTF-16 units.
      const { length } = [...line]
      if (length <= LIMIT) return
      long++
      console.error(`${file}:${i + 1}: ${length} characters`)
    })
}
if (long > 0) {
  console.error(`${long} lines are longer than ${LIMIT} characters`)
  process.exitCode = 1
}
