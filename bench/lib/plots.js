'use strict';

// The plots of docs/performance.md, drawn by Vega-Lite (https://vega.github.io/vega-lite/docs/).

const OTHERS = ['node', 'bun', 'C'];
const COLUMNS = ['pipewright', 'node', 'bun', 'C'];
const COLORS = ['#1f6fd6', '#3c8f4a', '#c2622d', '#7a7f87'];
const LOWER_IS_BETTER = new Set(['microseconds', 'milliseconds', 'bytes']);
const MICROSECONDS_PER_MILLISECOND = 1000;

const color = (domain = COLUMNS) => ({
  field: 'column',
  type: 'nominal',
  title: null,
  sort: domain,
  scale: { domain, range: domain.map((name) => COLORS[COLUMNS.indexOf(name)]) },
});
const logarithmic = (field, title, format = '~s') => ({
  field,
  title,
  type: 'quantitative',
  scale: { type: 'log', nice: false },
  axis: { format },
});

// How many times better pipewright is than another: more a second, or less time and memory.
function ratiosOf({ benchmark, figures }) {
  return figures.flatMap(({ row, label, format, ratios }) =>
    OTHERS.filter((other) => ratios[other] > 0).map((other) => ({
      work: `${benchmark}: ${row}, ${label}`,
      column: other,
      times: LOWER_IS_BETTER.has(format) ? 1 / ratios[other] : ratios[other],
    })),
  );
}

function overviewPlot(benchmarks) {
  const values = benchmarks.filter(({ benchmark }) => benchmark !== 'growth').flatMap(ratiosOf);
  return {
    width: 420,
    data: { values },
    encoding: { y: { field: 'work', type: 'nominal', sort: null, title: null } },
    layer: [
      { mark: { type: 'rule', color: '#888' }, encoding: { x: { datum: 1 }, y: null } },
      {
        mark: { type: 'point', filled: true, size: 70, tooltip: true },
        encoding: {
          x: logarithmic('times', 'times better than the other (right of 1: pipewright is ahead)', '~g'),
          color: color(OTHERS),
          shape: { field: 'column', type: 'nominal', title: null, sort: OTHERS },
        },
      },
    ],
  };
}

// One value for each row that has a number in its name, and each of the columns.
function series({ figures }, labels, number) {
  return figures
    .filter(({ row, label }) => labels.includes(label) && number.test(row))
    .flatMap(({ row, label, columns }) =>
      COLUMNS.filter((name) => columns[name]?.median > 0).map((column) => ({
        label,
        column,
        size: Number(number.exec(row)[1]),
        value: columns[column].median,
      })),
    );
}

function linePlot(values, xTitle, yTitle, facet = undefined) {
  const encoding = { x: logarithmic('size', xTitle), y: logarithmic('value', yTitle, '~g'), color: color() };
  const unit = { width: facet === undefined ? 420 : 200, height: 240, mark: { type: 'line', point: true }, encoding };
  if (facet === undefined) return { data: { values }, ...unit };
  return {
    data: { values },
    facet: { column: { field: 'label', type: 'nominal', title: null, sort: null } },
    spec: unit,
  };
}

function growthPlots(growth) {
  const times = series(growth, ['p50', 'p99', 'p99.9'], /^(\d+) connection/).map((each) => ({
    ...each,
    value: each.value / MICROSECONDS_PER_MILLISECOND,
  }));
  const rates = series(growth, ['msg/s'], /^(\d+) connection/);
  return [
    {
      name: 'rate',
      of: 'growth',
      title: 'Messages a second by connections',
      spec: linePlot(rates, 'connections', 'messages a second'),
    },
    {
      name: 'latency',
      of: 'growth',
      title: 'Latencies by connections',
      spec: linePlot(times, 'connections', 'milliseconds', true),
    },
  ];
}

function memoryPlot(memory) {
  const values = series(memory, ['RSS/connection'], /^(\d+) connections, never used$/);
  return {
    name: 'memory',
    of: 'memory',
    title: 'Bytes a connection by connections',
    spec: linePlot(values, 'connections', 'resident bytes a connection'),
  };
}

function spawnPlot(spawn) {
  const values = series(spawn, ['loop blocked'], /^spawn at (\d+) MB$/).map((each) => ({
    ...each,
    value: each.value / MICROSECONDS_PER_MILLISECOND,
  }));
  return {
    name: 'spawn',
    of: 'spawn',
    title: 'Time that the loop is blocked by the size of the parent',
    spec: linePlot(values, 'megabytes of the parent', 'milliseconds that the loop is blocked'),
  };
}

/** @returns {{ name: string, of: string | null, title: string, spec: object }[]} `of` is the benchmark; null: of all */
function plots({ benchmarks }) {
  const find = (name) => benchmarks.find(({ benchmark }) => benchmark === name);
  const made = [
    { name: 'ratios', of: null, title: 'How many times better than others', spec: overviewPlot(benchmarks) },
  ];
  if (find('growth')) made.push(...growthPlots(find('growth')));
  if (find('memory')) made.push(memoryPlot(find('memory')));
  if (find('spawn')) made.push(spawnPlot(find('spawn')));
  return made;
}

// The background is white, since the page around it may be light or dark.
async function toSvg(spec) {
  const vega = await import('vega');
  const { compile } = await import('vega-lite');
  const compiled = compile({
    background: 'white',
    padding: 12,
    config: { view: { stroke: '#ddd' }, axis: { labelLimit: 400 } },
    ...spec,
  });
  return new vega.View(vega.parse(compiled.spec), { renderer: 'none' }).toSVG();
}

module.exports = { plots, toSvg };
