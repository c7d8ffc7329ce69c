// npm run docs: writes what is generated.
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { settingsReference } from '../../src/config/describe-settings.ts'
import { messagesReference } from '../../src/messages/describe-messages.ts'
import { familiesReference } from './families-page.ts'
import { metricsReference } from './metrics-page.ts'
import { openApiReference } from './open-api-files.ts'

const pages = new Map([
  ['docs/settings.md', settingsReference()],
  ['docs/families.md', familiesReference()],
  ['docs/metrics.md', metricsReference()],
  ...openApiReference(),
  ...messagesReference(),
])
for (const [file, content] of pages) {
  mkdirSync(path.dirname(file), { recursive: true })
  writeFileSync(file, content)
}
