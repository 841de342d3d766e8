"""What the program tells of itself: log lines and metrics. Everything above the ports may use it."""
