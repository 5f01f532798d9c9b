export default {
  test: { include: ['test/**/*.test.ts'], setupFiles: ['test/support/core.ts'], testTimeout: 10_000 },
};
