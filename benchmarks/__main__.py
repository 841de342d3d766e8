"""The short form of every benchmark, one after another."""

from benchmarks import match, relay, startup

if __name__ == "__main__":
    for benchmark in (startup, match, relay):
        print(f"== {benchmark.__name__.rpartition('.')[2]}", flush=True)
        benchmark.main(["--short"])
