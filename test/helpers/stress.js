'use strict';

// PIPEWRIGHT_STRESS=1, as in `npm run stress`, has tests of faults repeat what they do more often.

const { STRESS_HANGS_MS } = require('./hanging');

const isStress = Boolean(process.env.PIPEWRIGHT_STRESS);

/** Children that are started after a fault: many more than a small table would hold if each left one descriptor. */
const CHILDREN = isStress ? 1000 : 150;

/** For a file of tests whose rounds take long under stress. */
function allowHours() {
  if (isStress) jest.setTimeout(STRESS_HANGS_MS);
}

module.exports = { CHILDREN, allowHours, isStress };
