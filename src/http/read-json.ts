/** A stored text for people to read: as data where it is JSON. Numbers that JavaScript cannot hold exactly are rounded. */
export function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
