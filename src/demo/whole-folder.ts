import fs from 'node:fs'

const UNFINISHED = '.unfinished-'

/**
 * Makes a folder that is there whole or not at all: also where its making is killed, and where two processes make it at
 * once. `fill` may throw.
 */
export function makeWhole(folder: string, fill: (fresh: string) => void): void {
  if (fs.existsSync(folder)) return
  const fresh = fs.mkdtempSync(`${folder}${UNFINISHED}`)
  try {
    fill(fresh)
    fs.renameSync(fresh, folder)
  } catch (error) {
    if (!fs.existsSync(folder)) throw error
  } finally {
    fs.rmSync(fresh, { recursive: true, force: true })
  }
}

/** Removes what was killed while it was made in `parent`. */
export function removeUnfinished(parent: string): void {
  for (const name of fs.readdirSync(parent).filter((entry) => entry.includes(UNFINISHED)))
    fs.rmSync(`${parent}/${name}`, { recursive: true, force: true })
}
