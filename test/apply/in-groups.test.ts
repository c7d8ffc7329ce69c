import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from '@jest/globals'
import { inGroups } from '../../src/apply/in-groups.ts'

/** Groups of texts, each of which takes its time. */
function recording(milliseconds: number, most = 8) {
  const groups: string[][] = []
  const give = inGroups<string, string>({
    work: async (items) => {
      groups.push([...items])
      await pause(milliseconds)
      return new Map(items.map((item) => [item, `did ${item}`]))
    },
    keyOf: (item) => item,
    most,
    failed: () => undefined,
  })
  return { groups, give }
}

test('what comes at once goes together, up to the most that a group may have', async () => {
  const { groups, give } = recording(1, 2)
  expect(await Promise.all(['a', 'b', 'c'].map(give))).toEqual(['did a', 'did b', 'did c'])
  expect(groups).toEqual([['a', 'b'], ['c']])
})

test('of two that are the same the second goes later', async () => {
  const { groups, give } = recording(1)
  await Promise.all(['a', 'a', 'b'].map(give))
  expect(groups).toEqual([['a', 'b'], ['a']])
})

test('who has just been answered is waited for by the others', async () => {
  const { groups, give } = recording(200)
  await Promise.all(['a', 'b', 'c'].map(give))
  await Promise.all(['a', 'b', 'c'].map((item, index) => pause(10 * index).then(() => give(item))))
  expect(groups).toEqual([
    ['a', 'b', 'c'],
    ['a', 'b', 'c'],
  ])
})

test('nobody is waited for for long, however long a group took that stood still', async () => {
  const { groups, give } = recording(2_000)
  await Promise.all(['a', 'b'].map(give))
  const from = performance.now()
  void give('c')
  while (groups.length < 2) await pause(5)
  expect(performance.now() - from).toBeLessThan(700)
})

test('nobody is waited for who does not come', async () => {
  const { groups, give } = recording(20)
  await Promise.all(['a', 'b', 'c'].map(give))
  await give('a')
  await give('b')
  expect(groups).toEqual([['a', 'b', 'c'], ['a'], ['b']])
})
