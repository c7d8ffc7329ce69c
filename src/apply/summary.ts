import type { Applied, Notification } from './handler.ts'

/** What was done in one sentence, and nothing besides: all that most handlers of Wombat's dialect answer (protocol §9.3). */
export function summary(
  message: string,
  description: string,
  level: Notification['level'] = 'info',
): Applied {
  return { notifications: [{ level, subject: message, description }], details: {} }
}
