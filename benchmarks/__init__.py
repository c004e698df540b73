"""The project's benchmarks: `make bench NAME=<module>`; `QUICK=1` makes a run shorter than a minute.

Each one sets up all that it needs, runs product, peer and limit in turn within one run, prints a table, and ends with
one line of JSON: `{"workload", "ratios", "targets", "meets"}`. Only ratios taken inside one run are compared: absolute
figures depend on the machine and on whatever else runs on it.
"""
