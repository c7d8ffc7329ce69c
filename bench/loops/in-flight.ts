/** Runs `work` for 0 to count − 1, `inFlight` at a time: the barest loop there is. */
export async function keepInFlight(
  count: number,
  inFlight: number,
  work: (index: number, chain: number) => Promise<void>,
): Promise<void> {
  let next = 0
  const chain = async (number: number) => {
    while (next < count) await work(next++, number)
  }
  await Promise.all(Array.from({ length: inFlight }, (_, number) => chain(number)))
}
