"""Simulated people with the habits of real ones, whose promises are judged and whose waiting is measured.

`habits` says what people do and how long they take, `day` what a day's people mean for its busiest hour; `people` drives
phones by it, over the sandbox's HTTP API and nothing else (`control`). `phones` keeps what phones show, `judge` finds from
that what was lost, doubled or misrouted. `fleet` starts and kills processes, `watch` and `stores` read what they use, `run`
puts it together; `report`, `charts`, `page` and `terminal` show it.

What belongs here: nothing that serves people. It knows neither the sandbox's nor the program's inside.
"""
