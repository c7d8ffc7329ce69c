import { type AddressInfo, createServer } from 'node:net'

export type MailServer = Readonly<{
  /** For SMTP_URL. */
  url: string
  /** What was delivered, each from its header to its end. */
  mails: readonly string[]
  close(): Promise<void>
}>

/** A mail server as far as one mail after the other needs it (RFC 5321): it takes every mail, from anybody to anybody. */
export async function startMailServer(): Promise<MailServer> {
  const mails: string[] = []
  const server = createServer((socket) => {
    let [rest, letter]: [string, string[] | undefined] = ['', undefined]
    const say = (line: string) => socket.write(`${line}\r\n`)
    socket.on('error', () => undefined)
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\r\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        if (letter && line !== '.') letter.push(line)
        else if (letter) {
          mails.push(letter.join('\n'))
          letter = undefined
          say('250 taken')
        } else if (line.toUpperCase() === 'DATA') {
          letter = []
          say('354 go on')
        } else if (line.toUpperCase() === 'QUIT') socket.end('221 bye\r\n')
        else say('250 fine')
      }
    })
    say('220 mail.test')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `smtp://127.0.0.1:${port}`,
    mails,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}
