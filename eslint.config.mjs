import eslint from '@eslint/js';
import graphql from '@graphql-eslint/eslint-plugin';
import jsdoc from 'eslint-plugin-jsdoc';
import tseslint from 'typescript-eslint';
import house from './eslint-house-rules.mjs';

const clockAndChance = [
  { object: 'Date', property: 'now', message: 'Take a Clock (kernel/clock.ts).' },
  { object: 'DateTime', property: 'now', message: 'Take a Clock (kernel/clock.ts).' },
  { object: 'Math', property: 'random', message: 'Use kernel/ for ids, node:crypto for secrets.' },
];
const environment = [
  { object: 'process', property: 'env', message: 'Receive the slice of settings you use.' },
];
const hiddenClock = [
  {
    selector:
      ':matches(NewExpression, CallExpression)[callee.name="Date"][arguments.length=0], ' +
      'CallExpression[callee.name="Date"], ' +
      'CallExpression[callee.object.name="DateTime"][callee.property.name=/^(utc|local)$/][arguments.length=0]',
    message: 'The present moment comes from a Clock (kernel/clock.ts) or the database.',
  },
];

/** A docstring is required on what a file exports in one of these forms, too. */
const declarations = [
  'TSInterfaceDeclaration',
  'TSTypeAliasDeclaration',
  'TSEnumDeclaration',
  'VariableDeclaration',
];
/** A docstring here is more than tags; a constructor's may be its parameters alone. */
const described = [
  ...declarations,
  'ClassDeclaration',
  'FunctionDeclaration',
  'MethodDefinition[kind!="constructor"]',
  'TSAbstractMethodDefinition',
  'TSMethodSignature',
];

export default tseslint.config(
  { ignores: ['dist/', 'coverage/', '.keyward/', 'dashboard/dist/'] },
  {
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    plugins: { house },
    rules: { 'house/explained-disable': 'error' },
  },
  eslint.configs.recommended,
  {
    files: ['**/*.{js,cjs,mjs}'],
    languageOptions: {
      globals: {
        console: 'readonly',
        process: 'readonly',
        URL: 'readonly',
        fetch: 'readonly',
        setTimeout: 'readonly',
      },
    },
  },
  {
    files: ['**/*.{js,cjs}'],
    languageOptions: {
      sourceType: 'commonjs',
      globals: { __dirname: 'readonly', module: 'writable', require: 'readonly' },
    },
  },
  {
    files: ['**/*.{ts,mts}'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: { project: './tsconfig.check.json', tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'max-lines': ['error', { max: 400 }],
      'no-restricted-exports': [
        'error',
        { restrictDefaultExports: { direct: true, named: true, defaultFrom: true } },
      ],
      // Decorator metadata needs classes at run time; this rule knows, and leaves those imports.
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true }],
      // type-graphql's classes are shapes: resolvers answer with plain objects.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
    },
  },
  {
    files: ['src/**/*.ts'],
    plugins: { jsdoc },
    settings: { jsdoc: { mode: 'typescript' } },
    rules: {
      'max-lines': ['error', { max: 200 }],
      'max-lines-per-function': ['error', { max: 50 }],
      'no-console': 'error',
      'no-restricted-syntax': ['error', ...hiddenClock],
      'no-restricted-properties': ['error', ...clockAndChance, ...environment],
      'no-restricted-imports': [
        'error',
        {
          paths: ['process', 'node:process'].map((name) => ({ name, importNames: ['env'] })),
          patterns: [
            { regex: '^\\..*\\.js$', message: 'Relative imports have no extension (CommonJS).' },
          ],
        },
      ],
      'house/explained-assertion': 'error',
      'jsdoc/require-jsdoc': [
        'error',
        {
          publicOnly: true,
          enableFixer: false,
          require: { ClassDeclaration: true, FunctionDeclaration: true },
          contexts: declarations,
        },
      ],
      'jsdoc/require-description': ['error', { contexts: described }],
      'jsdoc/check-tag-names': ['error', { definedTags: ['source'] }],
      'jsdoc/no-types': 'error',
      'jsdoc/empty-tags': 'error',
      'jsdoc/no-blank-blocks': 'error',
    },
  },
  {
    files: ['src/kernel/**/*.ts'],
    rules: {
      'no-restricted-syntax': 'off',
      'no-restricted-properties': ['error', ...environment],
    },
  },
  {
    files: ['src/config*.ts'],
    rules: { 'no-restricted-properties': ['error', ...clockAndChance] },
  },
  {
    files: ['src/cli/**/*.ts'],
    rules: { 'no-console': 'off' },
  },
  {
    files: ['{test,bench,examples}/**/*.ts'],
    rules: {
      '@typescript-eslint/no-empty-function': 'off',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    // The SDL that schema tools read.
    files: ['schema.graphql'],
    plugins: { '@graphql-eslint': graphql },
    languageOptions: {
      parser: graphql.parser,
      parserOptions: { graphQLConfig: { schema: 'schema.graphql' } },
    },
    rules: {
      ...graphql.configs['flat/schema-recommended'].rules,
      '@graphql-eslint/require-description': [
        'error',
        {
          types: true,
          rootField: true,
          FieldDefinition: true,
          InputValueDefinition: true,
          EnumValueDefinition: true,
          DirectiveDefinition: true,
        },
      ],
      // Who has an id is for the contract to say: values have none, and a request's is requestId.
      '@graphql-eslint/strict-id-in-types': [
        'error',
        {
          exceptions: {
            suffixes: ['Connection', 'Edge', 'Payload', 'Verification'],
            types: [
              ...['Actor', 'ApiKeyPolicy', 'ApiKeyRequest', 'KeyAdvice', 'PageInfo', 'Revocation'],
              ...['Rotation', 'Scope', 'UsageBucket', 'Viewer'],
            ],
          },
        },
      ],
    },
  },
  {
    // Jest itself asks these two for a default export.
    files: ['test/support/global-{setup,teardown}.ts'],
    rules: { 'no-restricted-exports': 'off' },
  },
);
