"""Real servers for the tests, the checks and the benchmarks: each on a free loopback port, each
ending with the process that started it."""
