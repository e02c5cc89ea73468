package chain

// alpha is the level of the planned test.
const alpha = 0.01

// planned is the test as it was written down before it was run.
const planned = "PLAN"
