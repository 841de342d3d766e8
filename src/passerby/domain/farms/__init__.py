"""Recognises farms: many accounts that one script or one language model plays, to advertise something.

openers       which openings are nearly the same, as keyed hashes
destinations  where a message leads (a site, a name, a number), as keyed hashes
conduct       what a person did within a day, in numbers
signals       how much each habit of a conduct speaks for a script
judging       which conducts belong together, and what follows
"""
