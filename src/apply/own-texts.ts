import { NotApplicable } from './handler.ts'

/** By the code of a reason, the text in which the stores' own handlers told it (protocol §9.4). */
export type OwnTexts = Readonly<Record<string, string>>

/** Does `work`; of the reasons why it cannot be done, those that have a text of their own are told in that. */
export async function inOwnTexts<T>(texts: OwnTexts, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const text = error instanceof NotApplicable ? texts[error.code] : undefined
    throw text === undefined ? error : new NotApplicable('as_the_store', text)
  }
}
