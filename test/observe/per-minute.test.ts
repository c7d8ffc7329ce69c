import { afterEach, expect, jest, test } from '@jest/globals'
import { PerMinute } from '../../src/observe/per-minute.ts'

afterEach(() => {
  jest.restoreAllMocks()
})

test('what happened within the last sixty seconds is counted, and nothing before', () => {
  let seconds = 1_000
  jest.spyOn(performance, 'now').mockImplementation(() => seconds * 1_000)
  const happened = new PerMinute()
  expect(happened.count).toBe(0)
  happened.note()
  seconds += 0.5
  happened.note()
  seconds += 30
  happened.note()
  expect(happened.count).toBe(3)
  seconds += 30
  expect(happened.count).toBe(1)
  seconds += 600
  expect(happened.count).toBe(0)
})
