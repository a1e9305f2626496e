// What scripts/test.mjs reads: failures in full, the titles of skipped tests, and the counts; nothing of what passed.
const { reporters } = require('mocha');

module.exports = class Quiet extends reporters.Base {
  constructor(runner, options) {
    super(runner, options);
    const skipped = [];
    runner.on('pending', (test) => skipped.push(test.fullTitle()));
    runner.once('end', () => {
      for (const title of skipped) console.log(`  skipped: ${title}`);
      this.epilogue();
    });
  }
};
