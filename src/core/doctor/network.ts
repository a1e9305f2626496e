/**
 * Settings of the kernel that virtual addresses need later on, when a node has two ports in one subnet. Information only: they have
 * nothing to do with the directory.
 */

export const NETWORK_KEYS = ['ignore_routes_with_linkdown', 'arp_ignore', 'arp_announce'] as const;
export type NetworkKey = (typeof NETWORK_KEYS)[number];

/** net.ipv4.conf.all.KEY of a node. */
export type NetworkSettings = Record<NetworkKey, number>;

const WANTED: Record<NetworkKey, { value: number; why: string }> = {
  ignore_routes_with_linkdown: {
    value: 1,
    why: 'a virtual address that moves to a second port of the same subnet stays unreachable without it',
  },
  arp_ignore: { value: 1, why: 'a port otherwise answers for addresses of another port' },
  arp_announce: { value: 2, why: 'a port otherwise announces addresses of another port' },
};

export interface NetworkRemark {
  key: string;
  value: number;
  wanted: number;
  isGood: boolean;
  why: string;
}

/** Every setting with what virtual addresses want. `arp_announce` and `arp_ignore` are good from the wanted value up. */
export function networkRemarks(settings: NetworkSettings): NetworkRemark[] {
  return NETWORK_KEYS.map((key) => {
    const { value: wanted, why } = WANTED[key];
    const value = settings[key];
    return { key: `net.ipv4.conf.all.${key}`, value, wanted, isGood: value >= wanted, why };
  });
}
