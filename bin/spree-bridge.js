#!/usr/bin/env node
// In a fresh clone `npx` notes what it finds here once and for all: so it is this file, not one that a build makes.
import { existsSync } from 'node:fs'

const main = new URL('../dist/main.js', import.meta.url)
if (existsSync(main)) await import(main)
else {
  process.stderr.write('spree-bridge is not built yet: run `npm run build`, or `npm start`, first.\n')
  process.exitCode = 2
}
