'use strict';

// What an older Node lacks, though the package runs on it.

const [MAJOR, MINOR] = process.versions.node.split('.').map(Number);

/** @returns {boolean} whether the running Node has this version or a newer one */
function isNodeSince(major, minor) {
  return MAJOR > major || (MAJOR === major && MINOR >= minor);
}

/** @returns {Function} `test(title, body, timeout)`, skipped on a Node older than that */
function testSinceNode(major, minor) {
  if (isNodeSince(major, minor)) return test;
  return (title, body) => test.skip(`${title} (needs Node ${major}.${minor})`, body);
}

module.exports = { isNodeSince, testSinceNode };
