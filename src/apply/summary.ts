import type { Applied } from './handler.ts'

/** What was done in one sentence, and nothing besides: all that most handlers of Wombat's dialect answer (protocol §9.3). */
export function summary(message: string, description: string): Applied {
  return { notifications: [{ level: 'info', subject: message, description }], details: {} }
}
