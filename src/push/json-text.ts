/**
 * A key more at the end of a JSON object's text, where it wins over one of the same name; without parsing the text.
 * `value` is JSON text itself.
 */
export function withKey(object: string, key: string, value: string): string {
  const inside = object.slice(0, object.lastIndexOf('}'))
  return `${inside}${/^\s*\{\s*$/.test(inside) ? '' : ','}${JSON.stringify(key)}:${value}}`
}
