import fs from 'node:fs'
import os from 'node:os'

export type Machine = Readonly<{
  date: string
  cores: number
  processor: string
  node: string
  postgres: string
  /** What the store's data was made from. */
  store: string
}>

export function describeMachine(postgres: string, store: string): Machine {
  const processors = os.cpus()
  return {
    date: `${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC`,
    cores: processors.length,
    processor: processors[0]?.model.trim() ?? 'unknown',
    node: process.versions.node,
    postgres,
    store,
  }
}

/** Of the kernel's clock in /proc: 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100

type Entry = Readonly<{ parent: number; ticks: number }>

/** CPU time of a process and all its descendants, those that have ended and been waited for included. */
export function cpuSecondsOfTree(root: number): number {
  const entries = readProcesses()
  const inTree = (pid: number): boolean => {
    if (pid === root) return true
    const parent = entries.get(pid)?.parent
    return parent !== undefined && parent !== 0 && inTree(parent)
  }
  let ticks = 0
  for (const [pid, entry] of entries) if (inTree(pid)) ticks += entry.ticks
  return ticks / TICKS_PER_SECOND
}

/** A process's own memory: without the pages of files, Node's program among them, that the machine can take back. */
export function ownMegabytes(pid: number): number {
  const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024
}

/** CPU time that the whole machine spent on anything. */
export function cpuSecondsOfMachine(): number {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softIrq = 0] = (
    /^cpu +([\d ]+)$/m.exec(fs.readFileSync('/proc/stat', 'utf8'))?.[1] ?? ''
  )
    .split(' ')
    .map(Number)
  return (user + nice + system + irq + softIrq) / TICKS_PER_SECOND
}

function readProcesses(): Map<number, Entry> {
  const entries = new Map<number, Entry>()
  for (const name of fs.readdirSync('/proc')) {
    const entry = /^\d+$/.test(name) ? readProcess(name) : undefined
    if (entry) entries.set(Number(name), entry)
  }
  return entries
}

function readProcess(pid: string): Entry | undefined {
  try {
    const line = fs.readFileSync(`/proc/${pid}/stat`, 'utf8')
    // After the name, which may hold blanks and brackets: state, parent, …; 12 to 15 are the times, own and children's.
    const fields = line.slice(line.lastIndexOf(')') + 2).split(' ')
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0)
    return { parent: Number(fields[1]), ticks }
  } catch {
    return undefined // it ended in between
  }
}
