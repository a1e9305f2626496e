/** The supervisor's two clocks. */
import { readFileSync } from 'node:fs';
import type { Now } from './watchdog.js';

/** CLOCK_MONOTONIC, ms: libuv's hrtime on Linux. The same in every process of the machine. */
export function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}

export function now(): Now {
  return { monotonicMs: monotonicMs(), bootMs: bootMs() };
}

/** /proc/uptime counts the time that the machine slept; its resolution is 10 ms. */
function bootMs(): number | null {
  try {
    const seconds = Number.parseFloat(readFileSync('/proc/uptime', 'latin1'));
    return Number.isFinite(seconds) ? seconds * 1000 : null;
  } catch {
    return null;
  }
}
