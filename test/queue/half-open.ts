import { mkdtempSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import os from 'node:os'
import path from 'node:path'

/** A way to the server that can be broken off, or made half-open: connections stay, and nothing comes through any more. */
export async function openDetour(url: string) {
  const target = new URL(url)
  const port = target.searchParams.get('port') ?? target.port
  const socket = `${target.searchParams.get('host')}/.s.PGSQL.${port}`
  const folder = mkdtempSync(path.join(os.tmpdir(), 'detour-'))
  const pairs = new Set<[Socket, Socket]>()
  const server = createServer((from) => {
    const to = connect(socket)
    const pair: [Socket, Socket] = [from, to]
    pairs.add(pair)
    for (const [end, other] of [pair, [to, from] as const]) {
      end.pipe(other)
      end.on('error', () => other.destroy())
      end.on('close', () => pairs.delete(pair))
    }
  })
  const open = () => new Promise<void>((resolve) => server.listen(`${folder}/.s.PGSQL.${port}`, resolve))
  const close = () => {
    for (const pair of pairs) for (const end of pair) end.destroy()
    server.close()
  }
  await open()
  target.searchParams.set('host', folder)
  return {
    url: target.href,
    /** Existing connections fall silent; new ones get through. */
    freeze() {
      for (const [from, to] of pairs) {
        from.unpipe(to)
        to.unpipe(from)
      }
    },
    /** As if the server were gone, until it is opened again. */
    close,
    open,
  }
}
