"""Recognises farms: many accounts that one script or one language model plays, to advertise something.

wordings      how the notice of a chat is worded
openers       which openings are nearly the same, as keyed hashes
destinations  where a message leads (a site, a name, a number), as keyed hashes
conduct       what a person did within a day, in numbers
signals       how much each habit of a conduct speaks for a script
bulk          accounts that open chats in bulk, with words of their own
minded        groups whose partners mind what they do
judgement     which conducts belong together, and what follows
"""
