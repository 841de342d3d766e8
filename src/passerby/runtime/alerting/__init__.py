"""The duty that evaluates the alert rules and tells staff and other programs about them. One worker does it for all."""
