"""Looks into the stores: what is slow, what is large, and what to do about it: `passerby slow`.

It only reads. Whatever cannot be read is left out, and said.
"""

from passerby.ops.slow.insight import Insight
from passerby.ops.slow.insights import Insights, read_insights

__all__ = ["Insight", "Insights", "read_insights"]
