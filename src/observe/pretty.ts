type Line = Readonly<Record<string, unknown>>

/** A log line for a person: time of day, level, message, then the fields; a stack on lines of its own. */
export function writePretty({ time, level, message, ...fields }: Line): string {
  const told = Object.entries(fields).map(([name, value]) => `${name}=${writeValue(value)}`)
  const head = `${String(time).slice(11, 23)} ${String(level).padEnd(5)} ${oneLine(String(message))}`
  return [[head, ...told].join(' '), ...stacksOf(fields)].join('\n')
}

function writeValue(value: unknown): string {
  if (typeof value === 'string' && /^[^\s"=]+$/.test(value)) return value
  return JSON.stringify(value, (key, part: unknown) => (key === 'stack' ? undefined : part)) ?? 'undefined'
}

// Text from outside must not be able to forge a line of its own.
function oneLine(text: string): string {
  return text.replace(/[\r\n]+/g, ' ')
}

function stacksOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, part]) =>
    key === 'stack' && typeof part === 'string' ? [part.replace(/^/gm, '    ')] : stacksOf(part),
  )
}
