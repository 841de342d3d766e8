"""The way in: updates are polled or received, put in order by person, and handed on."""
