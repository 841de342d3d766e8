"""The production checklist, ticked by looking: `passerby doctor`.

Every check looks and changes nothing. A check that cannot be made is a finding, too; none of them raises.
"""

from passerby.ops.doctor.finding import Finding, Verdict
from passerby.ops.doctor.list import everything

__all__ = ["Finding", "Verdict", "everything"]
