import { z } from 'zod'

/** Where messages are delivered to: an http(s) address. What is in it is shown and logged, so it may hold no password. */
export const endpointUrl = z
  .string('has to be a string')
  .max(2_048, 'has to have at most 2048 characters')
  .refine(isHttpUrl, 'has to begin with http:// or https:// and be a whole address')
  .refine((url) => !hasCredentials(url), 'must not have user or password in it: use the token')

/** What goes into `X-Augury-Token` of every delivery: a header takes no space or line break. */
export const endpointToken = z
  .string('has to be a string')
  .regex(/^[\x21-\x7e]{1,255}$/, 'has to be 1 to 255 printable ASCII characters without spaces')

function isHttpUrl(url: string): boolean {
  return /^https?:\/\/[^\s]+$/i.test(url) && URL.canParse(url)
}

function hasCredentials(url: string): boolean {
  if (!URL.canParse(url)) return false
  const { username, password } = new URL(url)
  return username !== '' || password !== ''
}
