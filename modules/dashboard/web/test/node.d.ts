// The little of Node.js that tests use. Its own types would stand beside those of the browser: setTimeout would be theirs.
declare module 'node:test' {
  export function test(name: string, run: () => void | Promise<void>): void
  export function beforeEach(run: () => void | Promise<void>): void
  export function afterEach(run: () => void | Promise<void>): void
}

declare module 'node:assert/strict' {
  const assert: {
    (value: unknown, message?: string): asserts value
    equal(actual: unknown, expected: unknown, message?: string): void
    deepEqual(actual: unknown, expected: unknown, message?: string): void
    match(actual: string, expected: RegExp, message?: string): void
    throws(run: () => unknown, expected?: RegExp | object): void
    rejects(run: () => Promise<unknown>, expected?: RegExp | object): Promise<void>
  }
  export default assert
}

declare module 'node:module' {
  export function register(specifier: string, parent: string): void
}
