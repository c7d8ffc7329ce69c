import type { ChannelName } from './alarm-table.ts'
import type { Notice } from './notice.ts'

/** Sends one notice; rejects with why it was not taken. */
export type Channel = Readonly<{
  name: ChannelName
  send(notice: Notice, signal: AbortSignal): Promise<void>
}>

export type ChannelSettings = Readonly<{
  webhookUrl: string | undefined
  mailTo: readonly string[] | undefined
  mailFrom: string | undefined
  smtpUrl: string | undefined
}>

const TIMEOUT_MILLISECONDS = 10_000

/** Those that the operator has set. Nothing is sent to any other address: none comes from a request or from the database. */
export function alarmChannels({ webhookUrl, mailTo, mailFrom, smtpUrl }: ChannelSettings): Channel[] {
  return [
    ...(webhookUrl === undefined ? [] : [webhook(webhookUrl)]),
    ...(mailTo === undefined || smtpUrl === undefined ? [] : [mail(smtpUrl, mailTo, mailFrom)]),
  ]
}

/** A POST of the notice as JSON; chat services read its `text`. No redirect is followed: its target was not allowed. */
function webhook(url: string): Channel {
  return {
    name: 'webhook',
    async send(notice, signal) {
      const response = await fetch(url, {
        method: 'POST',
        redirect: 'manual',
        headers: { 'Content-Type': 'application/json', 'User-Agent': 'spree-bridge' },
        body: JSON.stringify(notice),
        signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MILLISECONDS)]),
      })
      await response.body?.cancel()
      if (!response.ok) throw new Error(`ALARM_WEBHOOK_URL answered ${response.status}.`)
    },
  }
}

function mail(smtpUrl: string, to: readonly string[], from: string | undefined): Channel {
  return {
    name: 'mail',
    async send({ title, text }, signal) {
      const { createTransport } = await import('nodemailer')
      const transport = createTransport({
        url: smtpUrl,
        connectionTimeout: TIMEOUT_MILLISECONDS,
        greetingTimeout: TIMEOUT_MILLISECONDS,
        socketTimeout: TIMEOUT_MILLISECONDS,
      })
      await transport.sendMail({
        from: from ?? to[0],
        to: [...to],
        subject: title,
        text,
        headers: { 'Auto-Submitted': 'auto-generated' },
        signal: AbortSignal.any([signal, AbortSignal.timeout(2 * TIMEOUT_MILLISECONDS)]),
      })
    },
  }
}
