/** The names of one request, each once: a name given twice, or in two spellings, is one record and is told once. */
export function distinctNames(given: string | readonly string[], resolve: (input: string) => string): string[] {
  return [...new Set((typeof given === 'string' ? [given] : given).map(resolve))];
}
