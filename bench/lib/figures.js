'use strict';

// From samples to figures: a figure is one line of the table, a number for each column and pipewright's ratios.

const { medianRatio, summarize } = require('./statistics.js');

const subject = 'pipewright';

// `description` is { label, format, of }, where `of` takes the number out of a sample.
function makeFigure(row, description, samples) {
  const values = new Map([...samples].map(([name, list]) => [name, list.map(description.of)]));
  const columns = Object.fromEntries([...values].map(([name, list]) => [name, summarize(list)]));
  return { row, label: description.label, format: description.format, columns, ratios: ratiosOf(values) };
}

function ratiosOf(values) {
  if (!values.has(subject)) return {};
  const others = [...values.keys()].filter((name) => name !== subject);
  return Object.fromEntries(others.map((name) => [name, medianRatio(values.get(subject), values.get(name))]));
}

const formats = {
  rate: (value) => withPrefix(value, ['', 'k', 'M', 'G']),
  byteRate: (value) => `${withPrefix(value, ['', 'k', 'M', 'G'])}B/s`,
  milliseconds: (value) => `${value.toFixed(1)} ms`,
  microseconds: (value) => `${value.toFixed(1)} µs`,
  bytes: (value) => `${Math.round(value)} B`,
};

function withPrefix(value, prefixes) {
  const power = Math.min(Math.floor(Math.log10(Math.max(value, 1)) / 3), prefixes.length - 1);
  return `${(value / 1000 ** power).toPrecision(3)} ${prefixes[power]}`;
}

module.exports = { formats, makeFigure };
