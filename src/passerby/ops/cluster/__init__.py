"""Several processes on one machine, kept by supervisor: its configuration, its control, and what can be seen of it.

Everything lies in the run directory, so clusters with different ones do not know of each other. Nothing here serves a
bot or opens a store: the processes do, and they do the same without any of this, under systemd or Kubernetes.
"""
