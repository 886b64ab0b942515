"""Programs that the benchmarks run in processes of their own; each takes its arguments as JSON."""
