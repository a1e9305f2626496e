/** What history keeps of big requests. A manifest stays small; the changes of the generation hold the whole. */

/** More items than this and history keeps their number instead. */
const MAX_ITEMS = 20;

/** The request with every list of more than 20 items replaced by `{count, first}`. */
export function shortened(request: object): Record<string, unknown> {
  const short: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(request)) {
    short[field] =
      Array.isArray(value) && value.length > MAX_ITEMS ? { count: value.length, first: nameOf(value[0]) } : value;
  }
  return short;
}

function nameOf(item: unknown): unknown {
  return typeof item === 'object' && item !== null && 'name' in item ? item.name : item;
}
