import { NotApplicable } from './handler.ts'

/** By the code of a reason, the text in which the stores' own handlers told it (protocol §9.4), or what makes it. */
export type OwnTexts = Readonly<Record<string, string | ((reason: NotApplicable) => string)>>

/**
 * Does `work`; of the reasons why it cannot be done, those that have a text of their own are told in that, the others as
 * `otherwise` has it.
 */
export async function inOwnTexts<T>(
  texts: OwnTexts,
  work: () => Promise<T>,
  otherwise: (why: string) => string = (why) => why,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof NotApplicable)) throw error
    const own = texts[error.code] ?? otherwise(error.message)
    throw new NotApplicable(error.code, typeof own === 'string' ? own : own(error))
  }
}
