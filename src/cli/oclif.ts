/**
 * The narrow door to oclif: what commands need of it and nothing else. The package's main entry loads everything, these
 * sub-paths only what is used; scripts/oclif-lazy.ts makes even that lazy in the bundle.
 */
export * as Args from '@oclif/core/args';
export { Command } from '@oclif/core/command';
export * as Flags from '@oclif/core/flags';
