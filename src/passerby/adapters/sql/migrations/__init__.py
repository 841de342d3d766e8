"""The history of the tables. Expand first: a release's migration must let the previous release go on working."""
