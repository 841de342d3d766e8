"""The staff bot: who may do what there, and what is done about it. It shares nothing with the public bots' path."""
