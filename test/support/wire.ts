import { type AddressInfo, connect, createServer, type NetConnectOpts, type Socket } from 'node:net'

/**
 * The network between two programs, byte by byte, on a port of its own at 127.0.0.1. It breaks only what it is told to break:
 * bytes that it has not passed on when an end is gone are lost, and it knows of which connections.
 */
export type Wire = Readonly<{
  port: number
  /** All is well again for what comes from now on. */
  flow(): void
  /** Every connection is reset, and new ones are for so long. */
  cut(forMs?: number): void
  /** Nothing comes through, in no direction and on no connection, new ones included, nor does anybody's good-bye. */
  stall(): void
  /** Half-open: on the connections that there are, nothing ever comes through again. New ones work. */
  freeze(): void
  slow(bytesPerSecond: number): void
  /**
   * The far end has done what it was asked to do, and whoever asked never hears of it: of the answers that `chosen` accepts,
   * none comes through, and its connection is reset.
   */
  loseAnswers(chosen: (bytes: Buffer) => boolean): void
  /** All connections that there were, in the order in which they were opened. */
  connections: readonly Laid[]
  /** How often `loseAnswers` lost one. */
  answersLost(): number
  close(): Promise<void>
}>

/** A connection: the system gives its port to another one as soon as it is gone. */
export type Laid = Readonly<{
  /** In ms since 1970. */
  openedAt: number
  /** Its port as the far end sees it; undefined for a Unix socket, and before it is known. */
  port: number | undefined
  /** The near end missed something: what was still to be answered, if anything, was the last that it asked. */
  missed: boolean
}>

type Flow = 'well' | 'stalled' | Readonly<{ bytesPerSecond: number }>

/** What a connection has to know of its wire. */
type Wiring = Readonly<{
  flow(): Flow
  loses(bytes: Buffer): boolean
  over(connection: Connection): void
}>

const TURN_MS = 20
/** The kernel's buffers on both sides of a real network hold about as much. */
const MOST_HELD_BYTES = 256 * 1024

export async function startWire(far: NetConnectOpts): Promise<Wire> {
  const connections = new Set<Connection>()
  const laid: Laid[] = []
  let flow: Flow = 'well'
  let cutUntil = 0
  let lost = 0
  let chosen: ((bytes: Buffer) => boolean) | undefined

  const wiring: Wiring = {
    flow: () => flow,
    loses: (bytes) => {
      const isLost = chosen?.(bytes) ?? false
      if (isLost) lost++
      return isLost
    },
    over: (connection) => connections.delete(connection),
  }
  const server = createServer({ allowHalfOpen: true }, (near) => {
    if (Date.now() < cutUntil) {
      near.resetAndDestroy()
      return
    }
    const connection = new Connection(near, connect({ ...far, allowHalfOpen: true }), wiring)
    connections.add(connection)
    laid.push(connection)
  })
  // One clock for all of them: while all is well, bytes do not wait for it.
  const clock = setInterval(() => {
    if (flow !== 'well') for (const connection of connections) connection.turn(TURN_MS)
  }, TURN_MS)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    flow: () => {
      flow = 'well'
      chosen = undefined
      for (const connection of connections) connection.turn(0)
    },
    cut: (forMs = 0) => {
      cutUntil = Date.now() + forMs
      for (const connection of connections) connection.reset()
    },
    stall: () => {
      flow = 'stalled'
    },
    freeze: () => {
      for (const connection of connections) connection.freeze()
    },
    slow: (bytesPerSecond) => {
      flow = { bytesPerSecond }
    },
    loseAnswers: (next) => {
      chosen = next
    },
    connections: laid,
    answersLost: () => lost,
    close: async () => {
      clearInterval(clock)
      for (const connection of connections) connection.reset()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

class Connection implements Laid {
  readonly openedAt = Date.now()
  port: number | undefined
  missed = false
  readonly #near: Socket
  readonly #far: Socket
  readonly #there: Lane
  readonly #back: Lane
  readonly #wire: Wiring
  #frozen = false
  /** The far end was asked something, and the near end has not got the whole answer. */
  #awaited = false

  constructor(near: Socket, far: Socket, wire: Wiring) {
    this.#near = near
    this.#far = far
    this.#wire = wire
    this.#there = new Lane(near, far)
    this.#back = new Lane(far, near)
    for (const socket of [near, far]) socket.setNoDelay(true)
    far.on('connect', () => {
      this.port = far.localPort
    })
    near.on('data', (bytes: Buffer) => this.#receive(this.#there, bytes))
    far.on('data', (bytes: Buffer) => {
      if (!this.#frozen && wire.loses(bytes)) {
        // A part of the answer may have come through.
        this.#awaited = true
        this.reset()
      } else this.#receive(this.#back, bytes)
    })
    near.on('end', () => {
      // Who says good-bye waits for no answer any more.
      this.#noteMissed()
      this.#end(this.#there)
    })
    far.on('end', () => this.#end(this.#back))
    for (const socket of [near, far]) {
      socket.on('error', () => {})
      socket.on('close', () => this.#close())
    }
  }

  freeze(): void {
    this.#frozen = true
    for (const lane of [this.#there, this.#back]) lane.drop()
  }

  reset(): void {
    this.#noteMissed()
    for (const socket of [this.#near, this.#far]) {
      // A Unix socket knows no reset. Nor does a socket that is just saying good-bye: Node would take it for closed, and this
      // process, once it has nothing left to do, would wait for its end forever.
      if (socket.remoteFamily === undefined || isSayingGoodbye(socket)) socket.destroy()
      else socket.resetAndDestroy()
    }
  }

  turn(ms: number): void {
    const flow = this.#wire.flow()
    if (this.#frozen || flow === 'stalled') return
    const most = flow === 'well' ? Number.POSITIVE_INFINITY : Math.ceil((flow.bytesPerSecond * ms) / 1000)
    if (this.#there.pass(most) > 0) this.#awaited = true
    if (this.#back.pass(most) > 0 && this.#back.held === 0) this.#awaited = false
    if (this.#near.destroyed) this.#far.destroySoon()
    if (this.#far.destroyed) this.#near.destroySoon()
  }

  #receive(lane: Lane, bytes: Buffer): void {
    if (this.#frozen) return
    lane.take(bytes)
    if (this.#wire.flow() === 'well') this.turn(0)
  }

  #end(lane: Lane): void {
    lane.ended = true
    if (this.#wire.flow() === 'well') this.turn(0)
  }

  /** One end is gone. The other hears of it as soon as the wire passes anything on, and never where it is half-open. */
  #close(): void {
    if (this.#near.destroyed) {
      this.#noteMissed()
      // Nobody sends again what is still on its way from an end that is gone.
      this.#there.drop()
    }
    if (this.#near.destroyed && this.#far.destroyed) this.#wire.over(this)
    else if (this.#wire.flow() === 'well') this.turn(0)
  }

  #noteMissed(): void {
    if (this.#awaited) this.missed = true
  }
}

function isSayingGoodbye({ writableEnded, writableFinished }: Socket): boolean {
  return writableEnded && !writableFinished
}

/** One direction of a connection. */
class Lane {
  readonly #from: Socket
  readonly #to: Socket
  #queue: Buffer[] = []
  held = 0
  ended = false

  constructor(from: Socket, to: Socket) {
    this.#from = from
    this.#to = to
  }

  take(bytes: Buffer): void {
    this.#queue.push(bytes)
    this.held += bytes.length
    if (this.held > MOST_HELD_BYTES) this.#from.pause()
  }

  /** How many bytes it has passed on. */
  pass(most: number): number {
    let left = most
    let passed = 0
    while (this.#queue.length > 0 && left > 0 && !this.#to.destroyed) {
      const first = this.#queue.shift() ?? Buffer.alloc(0)
      const part = first.subarray(0, Math.min(left, first.length))
      if (part.length < first.length) this.#queue.unshift(first.subarray(part.length))
      this.#to.write(part)
      this.held -= part.length
      left -= part.length
      passed += part.length
    }
    if (this.held <= MOST_HELD_BYTES) this.#from.resume()
    if (this.ended && this.held === 0 && !this.#to.writableEnded) this.#to.end()
    return passed
  }

  drop(): void {
    this.#queue = []
    this.held = 0
  }
}
