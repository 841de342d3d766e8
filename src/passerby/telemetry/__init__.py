"""Log lines and metrics. All layers above the ports may use them."""
