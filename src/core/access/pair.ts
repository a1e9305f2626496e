/** The name of the records of a volume and a client in the tables `access`, `mounts` and `requests`. */

export interface Pair {
  volume: string;
  client: string;
}

export function pairName(volume: string, client: string): string {
  return `${volume}/${client}`;
}

/** Of a name that stands in one of those tables. */
export function pairOf(name: string): Pair {
  const at = name.indexOf('/');
  return { volume: name.slice(0, at), client: name.slice(at + 1) };
}
