// The bridge with the tests' inbound handlers, bundled as the real one is; two folders deep, as its code expects.
import { build } from 'esbuild'
import { BUNDLE } from '../../build.js'

await build({
  ...BUNDLE,
  entryPoints: ['test/support/bridge-with-test-handlers.ts'],
  outfile: process.argv[2],
})
