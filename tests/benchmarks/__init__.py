"""The benchmarks' harness; what it measures is measured by `make bench`."""
