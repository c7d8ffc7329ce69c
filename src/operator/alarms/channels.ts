import { unescape as percentDecode } from 'node:querystring'

import { sqlState } from '../../postgres/errors.ts'
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
function webhook(address: string): Channel {
  const { url, authorization } = splitCredentials(address)
  return {
    name: 'webhook',
    async send(notice, signal) {
      const response = await fetch(url, {
        method: 'POST',
        redirect: 'manual',
        headers: { 'Content-Type': 'application/json', 'User-Agent': 'spree-bridge', ...authorization },
        body: JSON.stringify(notice),
        signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MILLISECONDS)]),
      }).catch((error: unknown) => {
        throw noAnswer(error)
      })
      await response.body?.cancel()
      if (!response.ok) throw new Error(`ALARM_WEBHOOK_URL answered ${response.status}.`)
    },
  }
}

/** fetch() takes no address with user and password in it. */
function splitCredentials(address: string) {
  const url = new URL(address)
  const credentials = [url.username, url.password].map((part) => percentDecode(part)).join(':')
  url.username = ''
  url.password = ''
  const authorization =
    credentials === ':' ? {} : { Authorization: `Basic ${Buffer.from(credentials).toString('base64')}` }
  return { url, authorization }
}

/** Says no more than a code: the text of such an error may hold the address, which is a secret. */
function noAnswer(error: unknown): Error {
  const code =
    typeof error === 'object' && error !== null && 'cause' in error ? sqlState(error.cause) : undefined
  return new Error(`ALARM_WEBHOOK_URL gave no answer${code === undefined ? '' : ` (${code})`}.`)
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
