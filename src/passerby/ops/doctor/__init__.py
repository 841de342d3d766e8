"""Checks the production checklist: `passerby doctor`.

A check only reads; it changes nothing and does not raise. If it cannot be made, that is a finding, too.
"""

from passerby.ops.doctor.finding import Finding, Verdict
from passerby.ops.doctor.list import everything

__all__ = ["Finding", "Verdict", "everything"]
