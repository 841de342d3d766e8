"""The operators' panel: pages that show the state of the fleet, and forms. See ADR 32.

The same functions as in the staff bot decide what a form does.
"""
