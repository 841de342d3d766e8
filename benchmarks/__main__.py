"""The short form of every benchmark, one after another."""

from benchmarks import match, media_memory, relay, startup

if __name__ == "__main__":
    for benchmark in (startup, match, relay, media_memory):
        print(f"== {benchmark.__name__.rpartition('.')[2]}", flush=True)
        benchmark.main(["--short"])
