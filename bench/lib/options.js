'use strict';

// The command line of a benchmark.

const { parseArgs } = require('node:util');

const commonOptions = {
  only: { type: 'string', multiple: true },
  output: { type: 'string' },
};

// `numbers` holds the defaults of the options that are numbers; parseArgs itself knows only strings.
function readOptions(numbers, { module } = { module: '../../lib/net/index.js' }) {
  const numeric = Object.entries(numbers).map(([name, value]) => [name, { type: 'string', default: String(value) }]);
  const { values } = parseArgs({
    options: { ...commonOptions, module: { type: 'string', default: module }, ...Object.fromEntries(numeric) },
  });
  for (const name of Object.keys(numbers)) values[name] = positiveNumber(name, values[name]);
  return values;
}

function positiveNumber(name, text) {
  const number = Number(text);
  if (number > 0) return number;
  throw new RangeError(`--${name} must be a number above 0, not ${text}`);
}

// The rows whose name contains one of the texts given by --only.
function chooseRows(rows, only) {
  if (only === undefined) return rows;
  const chosen = rows.filter(({ name }) => only.some((text) => name.includes(text)));
  if (chosen.length > 0) return chosen;
  throw new RangeError(`--only matches none of: ${rows.map(({ name }) => name).join(', ')}`);
}

module.exports = { chooseRows, readOptions };
