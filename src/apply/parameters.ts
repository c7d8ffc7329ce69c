/** Mappings send names with the integration before them (`spree.force_quantity`), older ones without (protocol §3.1). */
export function parameterOf(parameters: ReadonlyMap<string, unknown>, name: string): unknown {
  return parameters.get(`spree.${name}`) ?? parameters.get(name)
}

/** People type parameters: `true`, `"true"`, `1` and `"1"` are yes. */
export function isYes(value: unknown): boolean {
  return value === true || value === 'true' || value === 1 || value === '1'
}
