"""The operators' tools: the doctor, and the cluster on one machine."""
