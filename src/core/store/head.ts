/**
 * Finding the head: the newest generation (R1 to R3).
 *
 * A fresh process lists manifests/ and probes forward by name. That costs as much as there is history, so a process that
 * already knows head H finds it again by two look-ups: "H+1 is absent, and then the guard of slot H+1 is still present".
 *
 * Why that is enough. H+1 is absent either because nobody committed it, or because it was committed, left behind by the
 * floor and collected. Collectors remove manifests lowest first, in aligned blocks of COLLECT_BLOCK, and make each block's
 * removal durable before they begin with the next (G6 in compact.ts; they also flush before the first block, for what a
 * killed collector left unflushed). The guard of a slot is the last generation of the block before the slot's. So a slot
 * that was ever collected has no guard, whatever a power cut under living clients may bring back. The same
 * argument serves C7 (slot N is free and was never taken) and C12 (our link did not fill a slot that had been freed). Where there
 * is no guard (the first 63 generations, few generations kept, a block just collected), the listing decides, as the
 * specification has it.
 *
 * A fresh process begins where `lock.owner` says that the last writer began, and follows by name from there, by the same
 * guard. That the names are unbroken is not taken for granted: were a manifest above lost, the listing would still show
 * the later ones, and falling back behind them in silence is what P6 forbids. So the next GAP_PROBES names must be absent as
 * well; what loses more manifests in a row than that and keeps the last ones is beyond both ways.
 *
 * The departure from the specification is the cost only: reading and committing stay O(1) in the length of history.
 */
import { CfsError } from '../errors.js';
import { isSystemCallError } from '../platform/files.js';
import { COLLECT_BLOCK, MAX_MANIFEST_BYTES, manifestName, parseManifestName } from './layout.js';
import { readOwner } from './lock-owner.js';
import { decodeManifest, type Manifest, NewerFormat } from './manifest.js';
import { patiently } from './patience.js';
import type { Place } from './place.js';
import { isPresent, readWhole, Unfit } from './read-file.js';
import { systemError } from './system-error.js';

/** How far to follow by name before a listing is cheaper. */
const MAX_STEPS = 32;
const REMEMBERED = 8;
/** Absent names above a head that was found from a hint. */
const GAP_PROBES = 16;

/** The generation whose presence proves that `slot` was never collected, or null if none is kept. See above. */
export function guardOf(slot: number, floor: number): number | null {
  const guard = slot - (slot % COLLECT_BLOCK) - 1;
  return guard >= floor && guard >= 1 ? guard : null;
}

export class Heads {
  private known: Manifest | null = null;
  private readonly recent = new Map<number, Manifest>();
  /** The generation that was read last: what an error is about. */
  private reading: number | null = null;

  constructor(private readonly place: Place) {}

  /** The newest generation. @throws CfsError CLUSTER_NOT_FOUND, MANIFEST_DAMAGED, FORMAT_TOO_NEW, IO_ERROR … */
  newest(): Manifest {
    const head = patiently(
      this.place.platform.clock,
      () => this.find(),
      (error) => this.damaged(this.reading, error),
    );
    this.known = head;
    return head;
  }

  /** The newest generation that this process has seen, or null. */
  get knownGeneration(): number | null {
    return this.known?.gen ?? null;
  }

  /** Generation `gen`, which must exist. @throws SystemCallError ENOENT, CfsError MANIFEST_DAMAGED, FORMAT_TOO_NEW */
  at(gen: number): Manifest {
    const recent = this.recent.get(gen);
    if (recent !== undefined) return recent;
    const manifest = patiently(
      this.place.platform.clock,
      () => {
        try {
          return this.read(gen);
        } catch (error) {
          // Absent is an answer here, not a lagging cache: the caller asked for a certain generation.
          if (isSystemCallError(error, 'ENOENT')) return null;
          throw error;
        }
      },
      (error) => this.damaged(gen, error),
    );
    if (manifest === null) throw Object.assign(new Error(`no ${manifestName(gen)}`), { code: 'ENOENT', errno: -2 });
    this.keep(manifest);
    return manifest;
  }

  /**
   * Takes in a generation that this process committed itself. It does not become one of the recent ones that `at` hands
   * out: a commit keeps no former values in memory.
   */
  committed(manifest: Manifest): void {
    if (this.known === null || manifest.gen >= this.known.gen) this.known = manifest;
  }

  /** The number of the newest generation by R1 and R3, nothing read; null if there is none. */
  number(): number | null {
    const listed = this.listed();
    return listed === null ? null : this.follow(listed, Number.POSITIVE_INFINITY);
  }

  /** C7: whether `base` is still the head (null: whether there is no generation at all). */
  isStillHead(base: { gen: number; floor: number } | null): boolean {
    if (base !== null) {
      if (this.has(base.gen + 1)) return false;
      if (this.hasGuard(base.gen + 1, base.floor)) return true;
    }
    return this.number() === (base?.gen ?? null);
  }

  /** Whether a guard proves that `slot` was never collected. False proves nothing. */
  hasGuard(slot: number, floor: number): boolean {
    const guard = guardOf(slot, floor);
    return guard !== null && this.opens(guard);
  }

  /** Reads and checks one manifest, once. @throws Unfit, SystemCallError, CfsError FORMAT_TOO_NEW */
  read(gen: number): Manifest {
    const path = this.pathOf(gen);
    this.reading = gen;
    try {
      const bytes = readWhole(this.place.platform.files, 'manifest', path, MAX_MANIFEST_BYTES);
      return decodeManifest(bytes, gen, this.place.format);
    } catch (error) {
      if (error instanceof NewerFormat) {
        throw new CfsError(
          'FORMAT_TOO_NEW',
          `generation ${gen} is written in ${error.message}, which this cfs cannot read`,
          {
            hint: 'Use a newer cfs on this node.',
            details: { path, format: error.format },
          },
        );
      }
      if (isSystemCallError(error, 'ENOENT', 'ESTALE')) throw error;
      throw systemError(error, 'read', path);
    }
  }

  pathOf(gen: number): string {
    return `${this.place.paths.manifests}/${manifestName(gen)}`;
  }

  private find(): Manifest {
    const known = this.known;
    if (known !== null) {
      const gen = this.follow(known.gen, known.gen + MAX_STEPS);
      if (gen !== null && this.hasGuard(gen + 1, known.floor)) return gen === known.gen ? known : this.read(gen);
    }
    const hinted = known === null ? this.fromHint() : null;
    if (hinted !== null) return this.read(hinted);
    this.reading = null;
    const gen = this.number();
    if (gen === null) throw new Unfit('is missing: there is no generation at all');
    if (known !== null && gen < known.gen)
      throw new Unfit(`is missing: the newest is ${gen} after it was ${known.gen}`);
    return known !== null && gen === known.gen ? known : this.read(gen);
  }

  /** The head as a fresh process finds it without a listing; null where that is not certain. */
  private fromHint(): number | null {
    const hint = readOwner(this.place)?.generation ?? null;
    // A young history has no guards, and costs little to list.
    if (hint === null || guardOf(hint + 1, 1) === null || !this.has(hint)) return null;
    const gen = this.follow(hint, hint + MAX_STEPS);
    if (gen === null || !this.hasGuard(gen + 1, 1)) return null;
    for (let above = 2; above <= GAP_PROBES + 1; above++) if (this.has(gen + above)) return null;
    return gen;
  }

  /** The last of an unbroken row of names from `gen` on; null if that is beyond `limit`. */
  private follow(gen: number, limit: number): number | null {
    let last = gen;
    while (this.has(last + 1)) {
      last += 1;
      if (last >= limit) return null;
    }
    return last;
  }

  /** An absent name is one cheap look-up; a present one is confirmed by opening it, since attributes are cached longer. */
  private has(gen: number): boolean {
    try {
      if (this.place.platform.files.isAbsent('probe.look', this.pathOf(gen))) return false;
    } catch (error) {
      throw systemError(error, 'look up', this.pathOf(gen));
    }
    return this.opens(gen);
  }

  private opens(gen: number): boolean {
    try {
      return isPresent(this.place.platform.files, 'probe', this.pathOf(gen));
    } catch (error) {
      throw systemError(error, 'open', this.pathOf(gen));
    }
  }

  private listed(): number | null {
    const { manifests } = this.place.paths;
    let names: string[];
    try {
      names = this.place.platform.files.list('manifests.list', manifests);
    } catch (error) {
      if (isSystemCallError(error, 'ENOENT')) {
        throw new CfsError('MANIFEST_DAMAGED', `${manifests} is missing: all generations are lost`, {
          hint: 'Make a new cluster of a backup: cfs db restore FILE --new DIR',
          details: { path: manifests },
        });
      }
      throw systemError(error, 'list', manifests);
    }
    // Ten digits sort as their numbers do: names are parsed only when they are higher, which in 10,000 are about ten.
    let highest = '';
    for (const name of names) if (name > highest && parseManifestName(name) !== null) highest = name;
    return parseManifestName(highest);
  }

  private keep(manifest: Manifest): void {
    this.recent.delete(manifest.gen);
    this.recent.set(manifest.gen, manifest);
    if (this.recent.size > REMEMBERED) this.recent.delete(this.recent.keys().next().value!);
  }

  private damaged(gen: number | null, cause: Error): CfsError {
    const what = gen === null ? `the newest manifest in ${this.place.paths.manifests}` : this.pathOf(gen);
    const why = cause instanceof Unfit ? cause.message : 'cannot be found again';
    return new CfsError('MANIFEST_DAMAGED', `${what} ${why}`, {
      hint: 'Look with: cfs db check. Then: cfs db repair --dry-run',
      details: {
        path: gen === null ? this.place.paths.manifests : this.pathOf(gen),
        ...(gen === null ? {} : { generation: gen }),
      },
      cause,
    });
  }
}
