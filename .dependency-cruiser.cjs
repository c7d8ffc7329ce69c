// The house: which room may use which. A room not listed under a name may not be imported from there.
const rooms = {
  postgres: ['observe'],
  http: ['observe'],
  observe: [],
  config: ['messages', 'observe'],
  messages: [],
  store: ['postgres', 'messages', 'config', 'observe'],
  queue: ['postgres', 'config', 'observe'],
  push: ['messages', 'config', 'observe'],
  capture: ['store', 'queue', 'messages', 'postgres', 'config', 'observe'],
  delivery: ['queue', 'push', 'messages', 'config', 'observe'],
  apply: ['store', 'messages', 'postgres', 'config', 'observe'],
  webhook: ['apply', 'http', 'messages', 'config', 'observe'],
  hub: ['queue', 'push', 'messages', 'http', 'postgres', 'config', 'observe'],
  operator: [
    'capture',
    'delivery',
    'apply',
    'webhook',
    'hub',
    'push',
    'queue',
    'store',
    'messages',
    'http',
    'postgres',
    'config',
    'observe',
  ],
  demo: [
    'operator',
    'capture',
    'delivery',
    'apply',
    'webhook',
    'hub',
    'push',
    'queue',
    'store',
    'messages',
    'http',
    'postgres',
    'config',
    'observe',
  ],
}

const roomRules = Object.entries(rooms).map(([room, allowed]) => ({
  name: `${room}-imports-only-its-neighbours`,
  severity: 'error',
  from: { path: `^src/${room}/` },
  to: { path: '^src/', pathNot: `^src/(${[room, ...allowed].join('|')})/` },
}))

const library = (name, roomsThatMay) => ({
  name: `${name}-stays-in-its-rooms`,
  severity: 'error',
  from: { path: '^src/', pathNot: `^src/(${roomsThatMay.join('|')})(/|\\.ts$)` },
  to: { path: `^node_modules/${name}/` },
})

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    ...roomRules,
    library('pg', ['postgres', 'demo']),
    library('axios', ['push']),
    library('axios-retry', ['push']),
    library('undici', ['push']),
    library('express', ['http', 'webhook', 'hub', 'operator', 'demo']),
    library('express-rate-limit', ['webhook']),
    library('winston', ['observe']),
    library('jsonata', ['messages']),
    library('node-cron', ['processes']),
    library('nodemailer', ['operator']),
    library('commander', ['processes', 'main']),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    parser: 'swc',
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
}
