export default { test: { include: ['test/**/*.test.ts'], testTimeout: 10_000 } };
