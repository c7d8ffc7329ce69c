// Nested JSON of rows: `json`, not `jsonb` (1.5 times the CPU). Each sub-select orders its rows by id, so that equal
// states are equal texts. Rows stay rows until the outermost is written: as texts each would be copied at every level.

/** The rows of a sub-select as a JSON array. */
export function jsonRows(select: string): string {
  return `coalesce((select json_agg(row) from (${select}) row), '[]'::json)`
}

/**
 * The one row of a sub-select, which becomes a JSON object, null without one. It is for the sub-select to have one row at
 * most: a `limit 1` here makes the planner scan small tables instead of looking up their key.
 */
export function jsonRow(select: string): string {
  return `(select row from (${select}) row)`
}

export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
