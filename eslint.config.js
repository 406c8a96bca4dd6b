'use strict';

// ESLint's recommended rules and a few more; none is switched off for the project.

const js = require('@eslint/js');
const globals = require('globals');

module.exports = [
  { ignores: ['build/', 'coverage/', 'prebuilds/', 'bench/c/build/', 'bench/results/'] },
  js.configs.recommended,
  {
    languageOptions: { ecmaVersion: 2023, globals: globals.node },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-var': 'error',
      'object-shorthand': ['error', 'properties'],
      'prefer-const': 'error',
      'prefer-promise-reject-errors': 'error',
    },
  },
  {
    files: ['**/*.js'],
    languageOptions: { sourceType: 'commonjs' },
    rules: { strict: ['error', 'global'] },
  },
  { files: ['**/*.mjs'], languageOptions: { sourceType: 'module' } },
  { files: ['lib/cluster/status_page/*.js'], languageOptions: { sourceType: 'script', globals: globals.browser } },
  { files: ['test/**/*.js'], languageOptions: { globals: globals.jest } },
];
