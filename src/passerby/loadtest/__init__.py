"""Simulated people with the habits of real ones, whose messages are judged and whose waiting is measured.

`habits` says what people do and how long they take, `day` what a day's people mean for its busiest hour. `people`
drives phones by it, over the sandbox's HTTP API and nothing else (`control`), and `crowd` all of them. `seen` keeps
what phones show, `phrases` tells what a notice means, `judge` finds what was lost, doubled or misrouted. `book` and
`watch` measure, `stores` asks PostgreSQL and Redis, `fleet` starts and kills processes, `run` plays it all. `report` is
what came of it; `terminal`, `page` and `charts` show it.

What belongs here: nothing that serves people. It knows neither the sandbox's nor the program's inside.
"""
