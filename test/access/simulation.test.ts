/**
 * Clients under random faults, requests and commands, by seed: never two hosts that write one volume, and when the faults end everything
 * comes to rest as the tables say. CFS_SIM_SEEDS=N runs more, CFS_SIM_FROM=N begins elsewhere; a failure names its seed and shows what
 * happened last (CFS_SIM_TRACE=N lines, CFS_SIM_LOG=1 with the agents' own words).
 */
import assert from 'node:assert/strict';
import { randomClients } from '../kit/sim-client-faults.js';
import type { SimClientsOptions } from '../kit/sim-clients.js';

const CLIENTS: Omit<SimClientsOptions, 'seed'> = {
  clients: 5,
  volumes: 3,
  mostLagMs: 20,
  hasBallast: true,
  settings: { 'lease.interval': 500, 'lease.timeout': 3000 },
};
const FROM = Number(process.env.CFS_SIM_FROM ?? 1);
const SEEDS = Number(process.env.CFS_SIM_SEEDS ?? 30);

describe('simulated clients', function () {
  this.timeout(60_000 + SEEDS * 4000);

  it('never write one volume from two hosts, and come to rest when the faults end', async () => {
    let handovers = 0;
    for (let seed = FROM; seed < FROM + SEEDS; seed++) {
      const cluster = await randomClients({ ...CLIENTS, seed }, { troubledMs: 90_000, restMs: 60_000 });
      handovers += cluster.handovers;
    }
    assert.ok(handovers > 3 * SEEDS, `rights passed from host to host: ${handovers}`);
  });
});
