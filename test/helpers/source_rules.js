'use strict';

// The rules of architecture.test.js as functions: each takes sources as
// `{ file, text }` (file relative to the repository) and returns one line for
// each place that breaks the rule.

const path = require('node:path');
const acorn = require('acorn');

/** Calls `visit(node)` for every node of the syntax tree. */
function walk(node, visit) {
  if (typeof node?.type === 'string') visit(node);
  for (const child of Object.values(node ?? {})) {
    if (typeof child === 'object' && child !== null) walk(child, visit);
  }
}

function nodesOf({ text }, type) {
  const found = [];
  const tree = acorn.parse(text, { ecmaVersion: 2023, sourceType: 'script', allowHashBang: true, locations: true });
  walk(tree, (node) => node.type === type && found.push(node));
  return found;
}

function at({ file }, node) {
  return `${file}:${node.loc.start.line}`;
}

/** @returns {{ node: object, target: string }[]} what a file requires by a relative path */
function relativeRequires(source) {
  return nodesOf(source, 'CallExpression')
    .filter(({ callee, arguments: args }) => callee.name === 'require' && typeof args[0]?.value === 'string')
    .filter(({ arguments: args }) => args[0].value.startsWith('.'))
    .map((node) => ({ node, target: path.posix.join(path.posix.dirname(source.file), node.arguments[0].value) }));
}

/** The part of lib/ that a file is in: `net` for lib/net/socket.js, `index` for lib/index.js and lib itself. */
function partOf(file) {
  return (file.split('/')[1] ?? 'index').replace(/\.js$/, '');
}

/**
 * Imports go down the `layers` (highest first; each a list of parts) or stay inside
 * one part. Parts of one layer do not know each other. `allowed` lists exceptions, as
 * 'lib/a.js -> lib/b.js'.
 */
function importsThatGoUp(sources, layers, allowed = []) {
  const levelOf = (part) => layers.findIndex((parts) => parts.includes(part));
  return sources.flatMap((source) => {
    const from = partOf(source.file);
    if (levelOf(from) < 0) return [`${source.file}: ${from} has no place in the table of layers`];
    return relativeRequires(source)
      .filter(({ target }) => partOf(target) !== from && levelOf(partOf(target)) <= levelOf(from))
      .filter(({ target }) => !allowed.includes(`${source.file} -> ${target}`))
      .map(({ node, target }) => `${at(source, node)} imports ${target}`);
  });
}

/** Files that import each other in a circle, which CommonJS answers with half a module. */
function importCircles(sources, allowed = []) {
  const byName = new Map(sources.map((source) => [source.file, source]));
  const find = (target) => [target, `${target}.js`, `${target}/index.js`].find((name) => byName.has(name));
  const edgesOf = ({ file, ...source }) =>
    relativeRequires({ file, ...source })
      .map(({ target }) => find(target))
      .filter((target) => !allowed.includes(`${file} -> ${target}`));
  const edges = new Map(sources.map((source) => [source.file, edgesOf(source)]));
  const circles = [];
  const done = new Set();
  const visit = (file, trail) => {
    if (trail.includes(file)) circles.push([...trail.slice(trail.indexOf(file)), file].join(' -> '));
    if (trail.includes(file) || done.has(file) || file === undefined) return;
    for (const next of edges.get(file)) visit(next, [...trail, file]);
    done.add(file);
  };
  for (const file of edges.keys()) visit(file, []);
  return circles;
}

/**
 * What another file made is not changed: no property is put on the `prototype` of an
 * imported class, by assignment or by a method of Object or Reflect.
 */
function patchedImports(sources) {
  return sources.flatMap((source) => {
    const imported = importedNames(source);
    const isImported = (node) =>
      node?.type === 'MemberExpression' && node.property.name === 'prototype' && imported.has(node.object.name);
    const assigned = nodesOf(source, 'AssignmentExpression').filter(
      ({ left }) => left.type === 'MemberExpression' && (isImported(left) || isImported(left.object)),
    );
    const defined = nodesOf(source, 'CallExpression').filter(
      ({ callee, arguments: [first] }) =>
        ['Object', 'Reflect'].includes(callee.object?.name) &&
        /^(assign|define|set)/.test(callee.property.name) &&
        isImported(first),
    );
    return [...assigned, ...defined].map((node) => `${at(source, node)} changes an imported class`);
  });
}

/** The names that a file gives to what it requires. */
function importedNames(source) {
  const declarations = nodesOf(source, 'VariableDeclarator').filter(({ init }) => init?.callee?.name === 'require');
  const names = ({ id }) => (id.type === 'ObjectPattern' ? id.properties.map(({ value }) => value?.name) : [id.name]);
  return new Set(declarations.flatMap(names));
}

/** Errors are made in lib/base/errors.js, where every code and message stands. */
function errorsMadeElsewhere(sources) {
  const names = ['Error', 'TypeError', 'RangeError', 'SyntaxError', 'AggregateError'];
  return sources
    .filter(({ file }) => file !== 'lib/base/errors.js')
    .flatMap((source) =>
      [...nodesOf(source, 'NewExpression'), ...nodesOf(source, 'CallExpression')]
        .filter(({ callee }) => names.includes(callee.name))
        .map((node) => `${at(source, node)} makes a ${node.callee.name}`),
    );
}

/** Files whose name says that they have no native object in hand do not import the binding. */
function uninvitedImportsOfBinding(sources, uninvited) {
  return sources
    .filter(({ file }) => uninvited.test(file))
    .flatMap((source) =>
      relativeRequires(source)
        .filter(({ target }) => /^lib\/base\/binding(\.js)?$/.test(target))
        .map(({ node }) => `${at(source, node)} imports lib/base/binding.js`),
    );
}

/** Includes go down the `layers` of rooms (highest first) or stay inside one room. */
function includesThatGoUp(sources, layers) {
  const roomOf = (file) => file.split('/')[0].replace(/\.\w+$/, '');
  const levelOf = (room) => layers.findIndex((rooms) => rooms.includes(room));
  return sources.flatMap(({ file, text }) => {
    const from = roomOf(file.replace(/^src\//, ''));
    if (levelOf(from) < 0) return [`${file}: ${from} has no place in the table of layers`];
    return [...text.matchAll(/^#include "([^"]+)"/gm)]
      .map(([, target]) => target)
      .filter((target) => roomOf(target) !== from && levelOf(roomOf(target)) <= levelOf(from))
      .map((target) => `${file} includes ${target}`);
  });
}

/**
 * An `instanceof` is false for an object of another realm (a Jest test, a vm
 * context, a second copy of the package). `this instanceof X` asks something else.
 */
function instanceofChecks(sources) {
  return sources.flatMap((source) =>
    nodesOf(source, 'BinaryExpression')
      .filter(({ operator, left }) => operator === 'instanceof' && left.type !== 'ThisExpression')
      .map((node) => `${at(source, node)} asks instanceof`),
  );
}

/** Every file says at its head, in a comment, what it owns; a pair of .h and .cc in the .h. */
function filesWithoutHead(sources) {
  const headers = sources.map(({ file }) => file).filter((file) => file.endsWith('.h'));
  return sources
    .filter(({ file }) => !headers.includes(file.replace(/\.cc$/, '.h')) || file.endsWith('.h'))
    .filter(({ text }) => !/^(#!.*\n)?(\s*'use strict';)?\s*(\/\/ ?\S|\/\*)/.test(text))
    .map(({ file }) => `${file} does not begin with a comment`);
}

/** LICENSE carries the licence; copied code would bring its own. */
function licenceTexts(sources) {
  return sources
    .filter(({ text }) => /permission is hereby granted|joyent|node\.?js contributors|libuv project/i.test(text))
    .map(({ file }) => `${file} holds a licence text`);
}

/** A fixture is used when its name, with or without .js, stands in quotes in another file. */
function unusedFixtures(fixtures, sources) {
  return fixtures.filter((file) => {
    const stem = path.posix.basename(file).replace(/\.\w+$/, '');
    const quoted = new RegExp(`['"\`/]${stem.replace(/\W/g, '\\$&')}(\\.\\w+)?['"\`]`);
    return !sources.some((source) => source.file !== file && quoted.test(source.text));
  });
}

/** Each subpath names a file and its types, and both exist. */
function brokenExports(manifest, exists) {
  return Object.entries(manifest.exports).flatMap(([subpath, target]) => {
    if (subpath === './package.json') return [];
    const { types, default: file } = target;
    const problems = [];
    if (!types || !exists(types)) problems.push(`${subpath} has no types: ${types}`);
    if (!file || !exists(file)) problems.push(`${subpath} has no file: ${file}`);
    return problems;
  });
}

module.exports = {
  brokenExports,
  errorsMadeElsewhere,
  filesWithoutHead,
  importCircles,
  importsThatGoUp,
  includesThatGoUp,
  instanceofChecks,
  licenceTexts,
  patchedImports,
  uninvitedImportsOfBinding,
  unusedFixtures,
};
