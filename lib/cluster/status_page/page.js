'use strict';

// The status page in the browser: asks for stats.json each second, and shows the last two minutes.

const INTERVAL = 1000; // Milliseconds.
const MIN_SAMPLES = 30; // The time that a plot shows grows,
const SAMPLES = 120; // up to this.
const [WIDTH, HEIGHT] = [300, 100]; // A plot's own units: the page stretches it.
const SVG = 'http://www.w3.org/2000/svg';

const sumOf = (name) => (stats) => stats.workers.reduce((sum, worker) => sum + (worker[name] ?? 0), 0);

// Each plot: what it shows, and its value at one time, from two answers of the cluster.
const PLOTS = [
  { title: 'Accepted a second', valueOf: (stats, before) => ratePerSecond(stats, before, 'accepted') },
  { title: 'Open connections', valueOf: sumOf('active') },
  { title: 'Waiting for a worker', valueOf: (stats) => (stats.pending ?? 0) + sumOf('unacknowledged')(stats) },
];

const COLUMNS = [
  { title: 'Id', textOf: ({ id }) => id },
  { title: 'Pid', textOf: ({ pid }) => pid ?? '' },
  { title: 'State', isWord: true, textOf: ({ state }) => state, classOf: ({ state }) => state },
  { title: 'Active', textOf: ({ active }) => whole(active) },
  { title: 'Assigned', textOf: ({ assigned }) => whole(assigned) },
  { title: 'Unacknowledged', textOf: ({ unacknowledged }) => whole(unacknowledged) },
  { title: 'Restarts', textOf: ({ restarts }) => whole(restarts) },
  { title: 'Uptime', textOf: ({ startedAt }, { now }) => duration(now - startedAt) },
];

const TOTALS = [
  { title: 'accepted', name: 'accepted' },
  { title: 'waiting in the primary', name: 'pending' },
  { title: 'moved from dead workers', name: 'moved' },
  { title: 'ended with dead workers', name: 'ended' },
  { title: 'restarts', name: 'restarts' },
  { title: 'reloads', name: 'reloads' },
];

const answers = []; // The last ones, with a null for each that did not come.

function ratePerSecond(stats, before, name) {
  if (!before || stats[name] === undefined || stats[name] < before[name]) return undefined;
  return ((stats[name] - before[name]) * 1000) / Math.max(stats.now - before.now, 1);
}

// Texts.

const whole = (value) => (value === undefined ? '' : Math.round(value).toLocaleString('en').replaceAll(',', '\u202f'));

function duration(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ];
  const first = parts.findIndex(([value]) => value > 0);
  const shown = first < 0 ? parts.slice(3) : parts.slice(first, first + 2);
  return shown.map(([value, unit]) => `${value} ${unit}`).join(' ');
}

const addressText = (address) =>
  typeof address === 'string' ? address.replace(/^\0/, '@') : `${address.address}:${address.port}`;

// Elements.

function element(name, properties = {}, children = []) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function shape(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

class Plot {
  #valueOf;
  #current = element('strong', { textContent: '–' });
  #top = element('span', { className: 'top' });
  #half = element('span', { className: 'half' });
  #since = element('span');
  #line = shape('path', { class: 'line' });
  #area = shape('path', { class: 'area' });

  constructor({ title, valueOf }) {
    this.#valueOf = valueOf;
    const svg = shape('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', role: 'img' });
    svg.setAttribute('aria-label', title);
    for (const y of [0, HEIGHT / 2, HEIGHT]) svg.append(shape('path', { class: 'grid', d: `M0 ${y}H${WIDTH}` }));
    svg.append(this.#area, this.#line);
    const caption = element('figcaption', {}, [title, this.#current]);
    const area = element('div', { className: 'plot' }, [svg, this.#top, this.#half]);
    const scale = element('div', { className: 'scale' }, [this.#since, element('span', { textContent: 'now' })]);
    this.element = element('figure', {}, [caption, area, scale]);
  }

  update() {
    const values = answers.map((stats, index) => (stats ? this.#valueOf(stats, answers[index - 1]) : undefined));
    const top = roundUp(Math.max(1, ...values.filter((value) => value !== undefined)));
    const current = values.at(-1);
    this.#current.textContent = current === undefined ? '–' : whole(current);
    this.#top.textContent = whole(top);
    this.#half.textContent = top > 1 ? whole(top / 2) : '';
    const count = Math.max(MIN_SAMPLES, values.length);
    this.#since.textContent = `${duration(count * INTERVAL)} ago`;
    const runs = runsOf(values, top, count);
    this.#line.setAttribute('d', runs.map((points) => `M${points.join('L')}`).join(''));
    this.#area.setAttribute('d', runs.map(areaOf).join(''));
  }
}

// 1, 2, 4 or 10 times a power of ten, so that the scale stands still for a while.
function roundUp(value) {
  const unit = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 10].find((factor) => factor * unit >= value) * unit;
}

/** The points of the line, in pieces: it has gaps where there was no answer. */
function runsOf(values, top, count) {
  const runs = [[]];
  values.forEach((value, index) => {
    const x = WIDTH - ((values.length - 1 - index) * WIDTH) / (count - 1);
    if (value === undefined) runs.push([]);
    else runs.at(-1).push(`${x.toFixed(1)} ${(HEIGHT - (value * HEIGHT) / top).toFixed(1)}`);
  });
  return runs.filter((points) => points.length > 0);
}

function areaOf(points) {
  const [first, last] = [points[0], points.at(-1)].map((point) => point.split(' ')[0]);
  return `M${first} ${HEIGHT}L${points.join('L')}L${last} ${HEIGHT}Z`;
}

const plots = PLOTS.map((each) => new Plot(each));

// What changes.

function showCluster(stats) {
  const where = stats.addresses.map(addressText).join(', ') || 'listens nowhere';
  document.title = `pipewright cluster, process ${stats.pid}`;
  const text = `process ${stats.pid} · up ${duration(stats.now - stats.startedAt)} · ${stats.schedule} · ${where}`;
  document.querySelector('#summary').textContent = text;
  const rows = stats.workers.map((worker) => element('tr', {}, cellsOf(worker, stats)));
  document.querySelector('#workers').replaceChildren(...rows);
  const totals = TOTALS.map(({ title, name }) =>
    element('div', {}, [element('dt', { textContent: title }), element('dd', { textContent: whole(stats[name]) })]),
  );
  document.querySelector('#totals').replaceChildren(...totals);
}

function cellsOf(worker, stats) {
  return COLUMNS.map(({ isWord, textOf, classOf }) => {
    const className = [isWord ? 'word' : '', classOf?.(worker) ?? ''].join(' ');
    return element('td', { textContent: textOf(worker, stats), className });
  });
}

function showProblem(text) {
  const problem = document.querySelector('#problem');
  problem.textContent = text;
  problem.hidden = text === '';
}

async function update() {
  let stats = null;
  try {
    const response = await fetch('stats.json', { signal: AbortSignal.timeout(5000) });
    stats = await response.json();
    showProblem('');
    showCluster(stats);
  } catch {
    showProblem('The cluster does not answer. What is below was so when it last did.');
  }
  answers.push(stats);
  if (answers.length > SAMPLES) answers.shift();
  for (const plot of plots) plot.update();
  setTimeout(update, INTERVAL);
}

const heads = COLUMNS.map(({ title, isWord }) =>
  element('th', { textContent: title, className: isWord ? 'word' : '' }),
);
document.querySelector('#columns').append(...heads);
document.querySelector('#plots').append(...plots.map((plot) => plot.element));
update();
