/** What the build puts in place of this name: the table of the files under src/commands. */
declare module 'cfs:commands' {
  export const TABLE: import('./registry.js').CommandTable;
}
