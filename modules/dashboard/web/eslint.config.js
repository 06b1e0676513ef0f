// What tsc cannot say: habits, the order of the folders, and what the Content-Security-Policy forbids.
import js from '@eslint/js'
import globals from 'globals'
import { page } from './lint/page.js'

// Each folder may import from those before it. The text of the page is at the front, since it imports nothing.
const folders = ['text', 'core', 'live', 'chart', 'parts', 'pages']

// what keeps modules such that the server can link them (see the package bundle), and the page within its policy.
const forbidden = [
  ['ExportDefaultDeclaration', 'export by name'],
  [
    'ExportAllDeclaration, ExportNamedDeclaration[source]',
    'import from the module that declares it; nothing is exported again',
  ],
  ['ExportNamedDeclaration[specifiers.length>0]', 'write export in front of the declaration'],
  ['ExportNamedDeclaration > VariableDeclaration[kind!="const"]', 'export a const: a signal for what changes'],
  ['ImportExpression', 'modules are linked into one: import at the top'],
  ['ImportNamespaceSpecifier', 'import by name'],
  ['Program > ExpressionStatement > AwaitExpression', 'a module is linked as a function that waits for nothing'],
  [
    'AssignmentExpression > MemberExpression.left[property.name=/^(inner|outer)HTML$/]',
    'build elements with html`…` or textContent',
  ],
  ['CallExpression[callee.property.name=/^(insertAdjacentHTML|setHTMLUnsafe)$/]', 'build elements with html`…`'],
  ['CallExpression[callee.object.name="document"][callee.property.name=/^write(ln)?$/]', 'build elements with html`…`'],
  ['Property[key.name="dangerouslySetInnerHTML"]', 'build elements with html`…`'],
  ['NewExpression[callee.name="EventSource"]', 'the tabs of a browser share one stream: follow'],
].map(([selector, message]) => ({ selector, message }))

export default [
  { ignores: ['node_modules/', 'vendor/'] },
  js.configs.recommended,
  {
    rules: {
      'array-callback-return': 'error',
      eqeqeq: 'error',
      'no-alert': 'error',
      'no-console': 'error',
      'no-eval': 'error',
      'no-implied-eval': 'error',
      'no-new-func': 'error',
      'no-script-url': 'error',
      'no-self-compare': 'error',
      'no-throw-literal': 'error',
      'no-unused-vars': ['error', { caughtErrors: 'none' }],
      'no-var': 'error',
      'object-shorthand': 'error',
      'prefer-const': ['error', { destructuring: 'all' }],
    },
  },
  {
    files: ['js/**/*.js'],
    languageOptions: { globals: globals.browser },
    plugins: { page },
    rules: {
      'max-lines': ['error', { max: 200, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
      'no-restricted-syntax': ['error', ...forbidden],
      'page/imports': ['error', { folders }],
    },
  },
  {
    files: ['js/parts/**/*.js', 'js/pages/**/*.js', 'js/chart/**/*.js', 'js/main.js'],
    rules: { 'page/text': 'error' },
  },
  {
    files: ['js/text/*.js'], // a list is as long as it is
    rules: { 'max-lines': 'off', 'max-lines-per-function': 'off' },
  },
  {
    files: ['*.js', 'lint/**/*.js', 'test/**/*.js'],
    languageOptions: { globals: globals.node },
  },
]
