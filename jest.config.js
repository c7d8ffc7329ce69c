import { availableParallelism } from 'node:os'

export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  extensionsToTreatAsEsm: ['.ts'],
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
  // For what hangs, not for what is slow: machines differ by a factor of four.
  testTimeout: 400_000,
  testSequencer: '<rootDir>/test/support/longest-first.js',
  // Tests wait for processes and servers: as many files at a time as there are cores would leave one idle now and then.
  maxWorkers: availableParallelism() + 1,
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: { target: 'es2023', parser: { syntax: 'typescript' } },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
}
