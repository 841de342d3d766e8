"""The failures of backups."""


class BackupFailed(Exception):
    """A backup, a restore test or a restore could not be done. The text is one sentence for the operator."""


class NoSuchBackup(BackupFailed):
    """Somebody has named a backup that does not exist."""


class WrongBackup(BackupFailed):
    """Somebody has named a file that cannot be restored: no backup, a damaged one, or one of another key."""


class PeopleThere(BackupFailed):
    """Somebody restores over a database with people, without --replace."""


class DatabaseDamaged(BackupFailed):
    """The database file is damaged, so nothing can be copied from it or into it."""


class DumpRefused(BackupFailed):
    """The database answers, and does not take this dump."""


class NoRoom(BackupFailed):
    """The disk cannot hold the restored database."""
