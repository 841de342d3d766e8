"""Several processes on one machine, run by supervisor: its configuration, its control, and the state of the cluster.

All files are in the run directory, so clusters with different run directories do not affect each other. Nothing here
serves a bot or opens a store. The processes do that, and they do the same under systemd or Kubernetes.
"""
