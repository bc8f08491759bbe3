/** Returns the request's members that limit the answer to `fields`. Default: whole items. */
export function projectionOf(fields: readonly string[] | undefined) {
  if (!fields) return {};
  const names = [...new Set(fields)];
  // Placeholders stand for the names, because DynamoDB reserves words and reads dots as paths.
  return {
    ProjectionExpression: names.map((_, index) => `#f${index}`).join(", "),
    ExpressionAttributeNames: Object.fromEntries(names.map((name, index) => [`#f${index}`, name])),
  };
}
