'use strict';

// `tsc` over lib/ (its code and its JSDoc, after tsconfig.json), less what TypeScript
// cannot know: `function Socket() {}` that can be called without `new`, as Node's
// can, gets its base class from Object.setPrototypeOf, so members that are looked up
// on such an object are not checked. Everything else is.

const path = require('node:path');
const ts = require('typescript');

const NO_SUCH_PROPERTY = [2339, 2551];
const WRONG_ARGUMENT = [2345, 2769];

const root = path.join(__dirname, '..');

function main() {
  const { options, fileNames } = readConfig(path.join(root, 'tsconfig.json'));
  const program = ts.createProgram(fileNames, options);
  const checker = program.getTypeChecker();
  const found = ts.getPreEmitDiagnostics(program).filter((diagnostic) => !isAboutCallableClass(diagnostic, checker));
  if (found.length === 0) return;
  const format = process.stderr.isTTY ? ts.formatDiagnosticsWithColorAndContext : ts.formatDiagnostics;
  process.stderr.write(format(found, formatHost));
  process.exitCode = 1;
}

function readConfig(file) {
  const { config, error } = ts.readConfigFile(file, ts.sys.readFile);
  if (error) throw new Error(ts.flattenDiagnosticMessageText(error.messageText, '\n'));
  return ts.parseJsonConfigFileContent(config, ts.sys, path.dirname(file));
}

const formatHost = {
  getCanonicalFileName: (name) => name,
  getCurrentDirectory: () => root,
  getNewLine: () => '\n',
};

function isAboutCallableClass({ code, file, start }, checker) {
  if (file === undefined) return false;
  const node = nodeAt(file, start);
  if (NO_SUCH_PROPERTY.includes(code)) {
    return ts.isPropertyAccessExpression(node.parent) && isCallableClass(node.parent.expression, checker);
  }
  return WRONG_ARGUMENT.includes(code) && isCallableClass(node, checker);
}

/** Is this expression an object of a constructor that is a function? */
function isCallableClass(expression, checker) {
  const declaration = checker.getTypeAtLocation(expression).symbol?.valueDeclaration;
  return declaration !== undefined && ts.isFunctionLike(declaration);
}

/** The innermost node that begins at `start`. */
function nodeAt(file, start) {
  let found = file;
  const visit = (node) => {
    if (node.getStart(file) <= start && start < node.getEnd()) {
      found = node;
      ts.forEachChild(node, visit);
    }
  };
  visit(file);
  return found;
}

main();
