import { ANNOUNCED_TYPES, OBJECT_TYPES } from '../messages/message.ts'
import type { ConfigProblem } from './config-error.ts'
import { operatorName, type SettingName, type Settings } from './settings.ts'

/** What a hub that is told objects is always told: the settings that would say otherwise, and why they cannot. */
const WITHOUT_A_SAY = {
  stock: 'stock goes as inventories, which say how much there is',
  stockBy: 'stock goes as inventories, each of one stock location',
  orders: 'orders go as orders and shipments',
} as const satisfies Partial<Record<SettingName, string>>

const SHAPING = ['announce', 'filters', 'redact', 'transform'] as const

/**
 * What is set for the dialect in which this hub is not told. A rule for a type that is never sent must not pass for one that
 * is in force: what it redacts would go out.
 */
export function dialectConflicts(
  settings: Settings,
  sources: ReadonlyMap<SettingName, string>,
): ConfigProblem[] {
  const { hubDialect, shadow } = settings
  const isWombat = hubDialect === 'wombat'
  const idle = Object.entries(WITHOUT_A_SAY).flatMap(([name, why]): ConfigProblem[] => {
    const source = sources.get(name as keyof typeof WITHOUT_A_SAY)
    if (!isWombat || source === undefined) return []
    const variable = operatorName(name as keyof typeof WITHOUT_A_SAY)
    return [
      {
        code: 'invalid',
        variable,
        wrong: `${variable} (from ${source}) has no say where HUB_DIALECT is wombat: ${why}.`,
        remedy: 'Leave it out.',
      },
    ]
  })
  const foreign: readonly string[] = isWombat ? ANNOUNCED_TYPES : OBJECT_TYPES
  const rules = [
    ...SHAPING.map((section) => [section, settings[section]] as const),
    ...SHAPING.map((section) => [`shadow.${section}`, shadow?.[section]] as const),
  ]
  const unheard = rules.flatMap(([section, own]) =>
    Object.keys(own ?? {})
      .filter((type) => foreign.includes(type))
      .map((type): ConfigProblem => {
        const variable = `${section}.${type}`
        return {
          code: 'invalid',
          variable,
          wrong: `${variable} names what is never sent where HUB_DIALECT is ${hubDialect}.`,
          remedy: isWombat
            ? `What is sent are ${OBJECT_TYPES.join(', ')}.`
            : 'docs/messages.md lists the message types; objects are sent with HUB_DIALECT=wombat.',
        }
      }),
  )
  return [...idle, ...unheard]
}
