import { answerRequests } from './child.ts'
import { loadCollectLoop } from './loops/collect.ts'
import { loadGraphileLoop } from './loops/graphile.ts'
import { loadListenLoop } from './loops/listen.ts'
import { loadClientLoop } from './loops/push-client.ts'
import { loadQueueLoop } from './loops/queue.ts'
import { loadUndiciLoop } from './loops/undici.ts'
import { senderRequest, senderWay } from './start-sender.ts'

// A process that works in one way, again and again: warm, and with a heap and CPU time of its own.

const loops = {
  undici: loadUndiciLoop,
  client: loadClientLoop,
  queue: loadQueueLoop,
  graphile: loadGraphileLoop,
  listen: loadListenLoop,
  collect: loadCollectLoop,
}
const load = loops[senderWay.parse(process.argv[2])]

answerRequests(async (raw) => {
  const run = await load(senderRequest.parse(raw))
  globalThis.gc?.()
  const begun = { at: performance.now(), cpu: process.cpuUsage() }
  const end = await run()
  const cpu = process.cpuUsage(begun.cpu)
  const seconds = (performance.now() - begun.at) / 1000
  await end()
  return { seconds, cpuSeconds: (cpu.user + cpu.system) / 1e6 }
})
