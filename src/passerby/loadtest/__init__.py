"""The load test: runs simulated people (`simulated_people`) against Passerby and measures it.

`day` calculates the load of a day's busiest hour. `fleet` starts and kills processes, `watch` and `stores` measure
them, and `run` runs the whole test. `report` has the results; `terminal`, `page` and `charts` show them.

It uses Passerby and the sandbox only from outside.
"""
