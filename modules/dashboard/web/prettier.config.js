export default {
  printWidth: 120,
  semi: false,
  singleQuote: true,
  // htm's templates are not HTML: <${Component}> and <//> mean nothing to an HTML formatter.
  embeddedLanguageFormatting: 'off',
}
