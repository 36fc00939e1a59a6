"""One module a figure: `measure(bench)` yields nothing and records its points on the bench."""
