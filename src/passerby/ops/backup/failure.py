"""The one failure of backups."""


class BackupFailed(Exception):
    """A backup, a restore test or a restore could not be done. The text is one sentence for the operator."""
