import type { Applied, Notification } from './handler.ts'

/** What was done in one sentence, and nothing besides: all that most handlers of Wombat's dialect answer (protocol §9.3). */
export function summary(
  message: string,
  description: string,
  level: Notification['level'] = 'info',
): Applied {
  return { notifications: [{ level, subject: message, description }], details: {} }
}

/** What was done, and after it what was not, each in a sentence. */
export function said(message: string, done: readonly string[], left: readonly string[]): Applied {
  const tell = (level: Notification['level']) => (description: string) => ({
    level,
    subject: message,
    description,
  })
  return { notifications: [...done.map(tell('info')), ...left.map(tell('warn'))], details: {} }
}
