/** Compaction on a full disk: with what the ballast gives, the beginning of history can be raised after all. */
import { CfsError } from '../errors.js';
import { type CompactOptions, type CompactReport, compactStore } from '../store/compact.js';
import type { SharedDirectoryStore } from '../store/shared-directory-store.js';
import { ballastState, withBallast } from './ballast.js';
import { makeBallast, SPACE_TO_MAKE_BYTES, spaceOf } from './keeper.js';

/**
 * As `compactStore`; where it says `noSpace`, it gives up the ballast and compacts again, and then makes the ballast anew if that
 * left room for it. The report is of both runs together.
 * @throws CfsError as `compactStore`
 */
export async function compactWithBallast(store: SharedDirectoryStore, options: CompactOptions): Promise<CompactReport> {
  const reports: CompactReport[] = [];
  const attempt = async (): Promise<CompactReport> => {
    const report = await compactStore(store, options);
    reports.push(report);
    return report;
  };
  const { value, freed } = await withBallast(store.place, attempt, (report) => !report.noSpace);
  if (freed) restore(store);
  const sum = (of: 'manifests' | 'temporaries' | 'tableFiles' | 'others' | 'bytes'): number =>
    reports.reduce((total, report) => total + report[of], 0);
  return {
    ...value,
    floorBefore: reports[0]!.floorBefore,
    manifests: sum('manifests'),
    temporaries: sum('temporaries'),
    tableFiles: sum('tableFiles'),
    others: sum('others'),
    bytes: sum('bytes'),
  };
}

/** What cannot be made now, an agent makes later. */
function restore({ place }: SharedDirectoryStore): void {
  try {
    if (ballastState(place).state !== 'whole' && spaceOf(place).freeBytes >= SPACE_TO_MAKE_BYTES) makeBallast(place);
  } catch (error) {
    if (!(error instanceof CfsError)) throw error;
  }
}
