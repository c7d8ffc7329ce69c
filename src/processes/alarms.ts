import type { Settings } from '../config/settings.ts'
import type { Log } from '../observe/log.ts'
import type { AlarmTable } from '../operator/alarms/alarm-table.ts'
import { type Alarms, createAlarms } from '../operator/alarms/alarms.ts'
import { alarmChannels } from '../operator/alarms/channels.ts'
import { readInstallation } from '../postgres/installation.ts'
import type { Pool } from '../postgres/pool.ts'

type AlarmSettings = Pick<Settings, 'alarmWebhookUrl' | 'alarmMailTo' | 'alarmMailFrom' | 'smtpUrl'>

/** The alarms of a store's bridge, under the store's id at the hub. */
export function bridgeAlarms(settings: AlarmSettings, pool: Pool, log: Log): Alarms {
  return alarmsIn('bridge.alarm', settings, pool, log, async () => {
    const installation = await readInstallation(pool)
    return installation?.hubStoreId ?? installation?.databaseName ?? ''
  })
}

export function hubAlarms(settings: AlarmSettings, pool: Pool, log: Log): Alarms {
  return alarmsIn('hub.alarm', settings, pool, log, async () => 'hub')
}

function alarmsIn(
  table: AlarmTable,
  { alarmWebhookUrl, alarmMailTo, alarmMailFrom, smtpUrl }: AlarmSettings,
  pool: Pool,
  log: Log,
  bridge: () => Promise<string>,
): Alarms {
  const channels = alarmChannels({
    webhookUrl: alarmWebhookUrl,
    mailTo: alarmMailTo,
    mailFrom: alarmMailFrom,
    smtpUrl,
  })
  return createAlarms({ pool, table, channels, bridge, log })
}
