'use strict';

// PIPEWRIGHT_STRESS=1, as in `npm run stress`, has tests of faults repeat what they do more often.

const isStress = Boolean(process.env.PIPEWRIGHT_STRESS);

/** Children that are started after a fault: many more than a small table would hold if each left one descriptor. */
const CHILDREN = isStress ? 1000 : 150;

module.exports = { CHILDREN, isStress };
