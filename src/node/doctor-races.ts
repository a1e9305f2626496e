/** Several want one name at the same instant: by link, by exclusive create, by mkdir. */
import { promises as fs } from 'node:fs';
import { join } from 'node:path';
import type { Race } from '../core/doctor/measurements.js';
import { errnoOf, type Meeting } from './doctor-meeting.js';

export type RaceKind = 'link' | 'exclusiveOpen' | 'mkdir';
export const RACES: RaceKind[] = ['link', 'exclusiveOpen', 'mkdir'];

/** Rounds that both begin together, each with so many names. Rounds end early when they are slow. */
const ROUNDS = 25;
const NAMES = 8;
const BUDGET_MS = 6_000;

/** What one contender was told for one name (`won` or an errno), and whose content it then found there. */
interface Told {
  told: string;
  owner: string | null;
}
type Report = Record<string, Told>;

/** One attempt at `target` for `who`. */
async function attempt(kind: RaceKind, source: string, target: string, who: string): Promise<string> {
  try {
    if (kind === 'link') await fs.link(source, target);
    else if (kind === 'mkdir') await fs.mkdir(target);
    else {
      const handle = await fs.open(target, 'wx');
      try {
        await handle.writeFile(who);
      } finally {
        await handle.close();
      }
    }
    return 'won';
  } catch (error) {
    return errnoOf(error);
  }
}

async function ownerOf(kind: RaceKind, target: string): Promise<string | null> {
  // A directory has no content to tell.
  if (kind === 'mkdir') return null;
  try {
    return await fs.readFile(target, 'utf8');
  } catch {
    return null;
  }
}

function shuffled(count: number): number[] {
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/** Judges what the contenders were told: the same name in every report. */
export function judgeRace(reports: readonly Report[]): Race {
  const wins = reports.map((report) => Object.values(report).filter((t) => t.told === 'won').length);
  const race: Race = { tries: 0, oneWinner: 0, noWinner: 0, severalWinners: 0, wins, wrongOwner: 0, errors: {} };
  for (const target of Object.keys(reports[0] ?? {})) {
    const told = reports.map((report, i) => ({
      who: String(i),
      ...(report[target] ?? { told: 'nothing', owner: null }),
    }));
    const winners = told.filter((t) => t.told === 'won');
    race.tries++;
    if (winners.length === 1) race.oneWinner++;
    else if (winners.length === 0) race.noWinner++;
    else race.severalWinners++;
    for (const t of told) if (t.told !== 'won') race.errors[t.told] = (race.errors[t.told] ?? 0) + 1;
    const owners = told.map((t) => t.owner).filter((owner) => owner !== null);
    const right = winners[0]?.who;
    if (owners.some((owner) => owner !== '' && owner !== right)) race.wrongOwner++;
  }
  return race;
}

/** Both nodes race; the same result on both. */
export async function raceTogether(meeting: Meeting, kind: RaceKind): Promise<Race> {
  const me = meeting.side === 'first' ? '0' : '1';
  const mine: Report = {};
  const began = performance.now();
  for (let round = 0; round < ROUNDS; round++) {
    const late = performance.now() - began > BUDGET_MS;
    const theirsLate = await meeting.turn<boolean>(`race.${kind}.${round}`, late);
    if (late || theirsLate) break;
    // A file of its own per round: GlusterFS on ext4 takes 44 links of one file and then says ENOSPC.
    const source = meeting.path('races', `${kind}.${meeting.side}.${round}`);
    await fs.writeFile(source, me, { flag: 'wx' });
    for (const i of shuffled(NAMES)) {
      const name = `${kind}.${round}.${i}`;
      mine[name] = { told: await attempt(kind, source, meeting.path('races', name), me), owner: null };
    }
  }
  await meeting.turn(`race.${kind}.over`);
  for (const [name, told] of Object.entries(mine)) told.owner = await ownerOf(kind, meeting.path('races', name));
  const theirs = await meeting.turn<Report>(`race.${kind}.report`, mine);
  return judgeRace(meeting.side === 'first' ? [mine, theirs] : [theirs, mine]);
}

/** One node with itself: four calls at once, in threads of their own. */
export async function raceAlone(directory: string, kind: RaceKind): Promise<Race> {
  const sources = ['0', '1', '2', '3'].map((who) => ({ who, path: join(directory, `${kind}.source${who}`) }));
  for (const { who, path } of sources) await fs.writeFile(path, who, { flag: 'wx' });
  const reports: Report[] = sources.map(() => ({}));
  for (let i = 0; i < ROUNDS; i++) {
    const target = join(directory, `${kind}.${i}`);
    const told = await Promise.all(sources.map(({ who, path }) => attempt(kind, path, target, who)));
    const owner = await ownerOf(kind, target);
    for (const [contender, answer] of told.entries()) reports[contender]![String(i)] = { told: answer, owner };
  }
  return judgeRace(reports);
}
