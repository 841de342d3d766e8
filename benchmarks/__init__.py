"""Measures what things cost. Each module is a command; `python -m benchmarks` runs the short forms of all.

    question                                                          python -m benchmarks.…
    CPU for each relayed text, all processes and their stores         relay            relay --redis
    … over TLS, each answer 20-40 ms late                             relay --tls --delay-ms 20-40
    … with webhooks                                                   relay --web
    … with several workers                                            relay --redis --workers 2
    … in a worker's first minute                                      relay --redis --fresh
    relays a second on one worker's core                              relay --in-flight 256: "a core"
    latency added at 1,000 a second, p50, p99, p99.9                  relay --rate 1000
    round trips to the store, and calls in them                       relay --redis: "trips", "calls"
    1,000 and 15,000 people search at once, until all are told        match            match --redis --no-alone
    100,000 people wait, uneven filters, µs for each                  match
    memory at the peak of 15,000 daily users; with 20,000 open chats  memory           memory --redis
    every SQL statement: index, p50, p99; monthly growth              sql
    reading an update, compared                                       decode
    minimal relays with other frameworks, compared                    peers
    one call of the Bot API; one load and mark of the live store      botapi_call      live_store
    from the command to updates                                        startup
    a day of pairing; large files                                     day              media_memory

The measured process is alone on one core, and everything else is on another. CPU is user plus system time of the
whole process, with its threads. A warm-up is not counted. The result is the median of several windows, with the
lowest and the highest. Each benchmark prints a table, and its figures as one line of JSON; `--help` lists the
options. On a machine that others use, trust factors, not tenths, and do not trust latencies.

`sides` starts the processes and assigns them to cores: `product` (our own), `load_peer` (the Bot API server and the
people), and the stores. `processes` reads what they have used. `canned` is the server, `certificate` gives it TLS,
and `hooks` sends webhooks. `asked` is how a process gets commands.
"""
