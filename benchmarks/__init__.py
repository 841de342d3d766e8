"""What things cost. Each module is a command; `python -m benchmarks` runs the short form of all.

    question                                                          python -m benchmarks.…
    CPU of a relayed text, all our processes and their stores         relay            relay --redis
    … over TLS, every answer 20-40 ms late                            relay --tls --delay-ms 20-40
    … by webhooks                                                     relay --web
    … by several workers                                              relay --redis --workers 2
    … in a worker's first minute                                      relay --redis --fresh
    relays a second through one worker's core                         relay --in-flight 256: "a core"
    latency added at 1,000 a second, p50, p99, p99.9                  relay --rate 1000
    round trips to the store, calls that they carry                   relay --redis: "trips", "calls"
    1,000 and 15,000 people who search at once, till all are told     match            match --redis --no-alone
    100,000 who wait, with skewed filters, µs a ticket                match
    memory at the peak of 15,000 daily users; with 20,000 open chats  memory           memory --redis
    every SQL statement: index, p50, p99; growth a month              sql
    reading an update, beside others                                  decode
    the least that relays with other frameworks, times ours           peers
    one call of the Bot API; one load and mark of the live store      botapi_call      live_store
    from command to updates                                           startup
    a day of pairing; large files                                     day              media_memory

How it is measured: the process that is measured is alone on one core, everything else is on another; CPU is user plus
system time of the whole process, threads included; a warm-up is left out; the median of several windows is shown with
the lowest and the highest. Each prints a table, and its figures as one line of JSON; `--help` says what it takes. On a
machine that others use, believe factors, not tenths, and no latency at all.

What a benchmark is made of: `sides` starts the processes and seats them on cores (`product`, our own; `opposite`, the
Bot API server and the people; the stores); `processes` reads what they have used; `canned` is the server, `certificate`
its TLS, `hooks` brings what is not polled, `asked` how a process is asked.
"""
