/** Maps items to results in their order, with at most `limit` of the calls under way at once. */
export async function mapConcurrently<Item, Result>(
  items: readonly Item[],
  limit: number,
  map: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  // All lanes take from the same iterator.
  const remaining = items.entries();
  const runLane = async () => {
    for (const [index, item] of remaining) results[index] = await map(item);
  };
  await Promise.all(Array.from({ length: limit }, runLane));
  return results;
}
