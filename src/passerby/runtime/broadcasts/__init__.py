"""Sends broadcasts with what chats leave: the canary, schedules, recalls, corrections and reports, too."""
