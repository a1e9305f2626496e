/** Text to plain data: YAML, JSON or JSON lines, within bounds, with line and column where it is wrong. */
import { CfsError } from '../errors.js';
import { quoteName } from '../model/names.js';
import { formatSize } from '../model/units.js';
import { lineAndColumn, scanJson } from './json-scan.js';

/** Largest file taken: some 400,000 volumes in YAML. */
export const MAX_FILE_BYTES = 64 * 2 ** 20;

function badFile(source: string, what: string, place?: { line: number; column: number }): CfsError {
  const at = place === undefined ? '' : `, line ${place.line}, column ${place.column}`;
  return new CfsError('BAD_FILE', `${source}${at}: ${what}`, {
    hint: 'Nothing was changed. cfs export prints a file as it should be.',
    details: { source, ...place },
  });
}

function decode(content: string | Uint8Array, source: string): string {
  const size = typeof content === 'string' ? content.length : content.byteLength;
  if (size > MAX_FILE_BYTES) throw badFile(source, `it is larger than ${formatSize(MAX_FILE_BYTES)}`);
  let text: string;
  try {
    text = typeof content === 'string' ? content : new TextDecoder('utf-8', { fatal: true }).decode(content);
  } catch {
    throw badFile(source, 'it is not text in UTF-8');
  }
  text = text.startsWith('\ufeff') ? text.slice(1) : text;
  const nul = text.indexOf('\0');
  if (nul !== -1) throw badFile(source, 'it holds a NUL character: this is not a text file', lineAndColumn(text, nul));
  if (text.trim() === '') throw badFile(source, 'it is empty');
  return text;
}

function parseJson(text: string, source: string): unknown {
  const problem = scanJson(text);
  if (problem !== null) throw badFile(source, problem.says, lineAndColumn(text, problem.offset));
  try {
    return JSON.parse(text);
  } catch (error) {
    throw badFile(source, (error as Error).message);
  }
}

function parseJsonLines(text: string, source: string): unknown[] {
  const records: unknown[] = [];
  text.split('\n').forEach((line, i) => {
    if (line.trim() === '') return;
    const problem = scanJson(line);
    if (problem !== null) throw badFile(source, problem.says, { line: i + 1, column: problem.offset + 1 });
    try {
      records.push(JSON.parse(line));
    } catch (error) {
      throw badFile(source, (error as Error).message, { line: i + 1, column: 1 });
    }
  });
  return records;
}

interface YamlProblem {
  reason: string;
  mark?: { line: number; column: number };
}

async function parseYaml(text: string, source: string): Promise<unknown> {
  // Loaded here: only files in YAML pay for it.
  const { load, CORE_SCHEMA } = await import('js-yaml');
  try {
    return load(text, { schema: CORE_SCHEMA });
  } catch (error) {
    if (error instanceof RangeError) throw badFile(source, 'it is nested too deeply');
    if (!(error instanceof Error) || error.name !== 'YAMLException') throw error;
    const { reason, mark } = error as Error & YamlProblem;
    const place = mark === undefined ? undefined : { line: mark.line + 1, column: mark.column + 1 };
    throw badFile(source, reason, place);
  }
}

/**
 * Plain data of a text. JSON by its name (`.json`, `.jsonl`, `.ndjson`) or by its look, else YAML.
 * @param source the file's name, for messages
 * @throws CfsError BAD_FILE with line and column
 */
export async function parseText(content: string | Uint8Array, source: string): Promise<unknown> {
  const text = decode(content, source);
  const shown = quoteName(source).slice(1, -1);
  const extension = /\.([a-z]+)$/i.exec(source)?.[1]?.toLowerCase() ?? '';
  if (['jsonl', 'ndjson'].includes(extension)) return parseJsonLines(text, shown);
  if (extension === 'json') return parseJson(text, shown);
  if (!['yaml', 'yml'].includes(extension) && /^\s*[{[]/.test(text)) {
    // A standard input that looks like JSON. Every line an object: JSON lines. YAML in braces is the rest.
    const lines = text.trimEnd().split('\n');
    if (lines.length > 1 && lines.every((line) => /^\s*(\{.*\}\s*)?$/.test(line))) return parseJsonLines(text, shown);
    if (scanJson(text) === null || /^\s*(?:\{\s*"|\[\s*[{"[])/.test(text)) return parseJson(text, shown);
  }
  return parseYaml(text, shown);
}
