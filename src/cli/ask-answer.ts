/** The prompt of `cfs volume respond`: shows the request and asks for the answer (FIG. 15C, the dialog of process 1606). */
import { requestRows } from '../core/access/request-rows.js';
import { noRequest } from '../core/access/require.js';
import { CfsError } from '../core/errors.js';
import { formatDuration } from '../core/model/units.js';
import type { Snapshot } from '../core/store/store.js';
import { escapeText } from '../render/format.js';
import { askForText, askToChoose } from './ask.js';

export interface Answered {
  answer: { grant: boolean; message: string | null };
  /** Which request was shown. */
  asked: number;
}

/**
 * @param message given by its flag: not asked for
 * @throws CfsError REQUEST_NOT_FOUND, DECLINED (later), CONFIRMATION_NEEDED (no terminal), INTERRUPTED
 */
export async function askForAnswer(
  snapshot: Snapshot,
  { volume, client }: { volume: string; client: string | null },
  message: string | undefined,
): Promise<Answered> {
  const waiting = requestRows(snapshot, Date.now()).filter((row) => row.volume === volume && row.place !== null);
  const row = waiting.find(({ from }) => from === client);
  if (row === undefined) throw noRequest(volume, client);
  const since = formatDuration(Math.round((row.waitsMs ?? 0) / 1000) * 1000);
  const place = waiting.length > 1 ? ` (place ${row.place} of ${waiting.length})` : '';
  const says = row.message === null ? '' : `: "${escapeText(row.message)}"`;
  const choice = await askToChoose(
    `${row.from} asks ${row.writer ?? 'nobody'} to let it write ${volume}, for ${since}${place}${says}`,
    [
      { value: 'grant', name: 'grant: its mount becomes read-only here, then the other writes' },
      { value: 'deny', name: 'deny' },
      { value: 'later', name: 'later: leave it waiting' },
    ],
    '--grant or --deny',
  );
  if (choice === 'later') {
    throw new CfsError('DECLINED', 'Left for later; nothing was changed', {
      hint: `It waits until it expires: cfs volume respond ${volume}/${row.from}`,
    });
  }
  const text = message ?? (await askForText('message', `What do you say to ${row.from}?`, ''));
  return { answer: { grant: choice === 'grant', message: text.trim() === '' ? null : text.trim() }, asked: row.asked };
}
