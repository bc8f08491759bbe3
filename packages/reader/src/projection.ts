/** Names as DynamoDB wants them, whatever is in them. Without any: the whole item. */
export function projection(fields: readonly string[] | undefined) {
  if (!fields) return {};
  const names = [...new Set(fields)];
  return {
    ProjectionExpression: names.map((_, n) => `#f${n}`).join(", "),
    ExpressionAttributeNames: Object.fromEntries(names.map((name, n) => [`#f${n}`, name])),
  };
}
