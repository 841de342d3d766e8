"""The fault that ends a start: a setting that cannot be used."""

from collections.abc import Mapping


class WrongSetting(Exception):
    """A setting that cannot be used. `str()` is the one line for the operator: name, fault, what to write instead.

    It never quotes a value, because a value may be a secret that was written under the wrong name.
    """

    def __init__(self, setting: str, problem: str, remedy: str, others: Mapping[str, str] | None = None) -> None:
        """`others`: the remedy for each other setting that it does not fit to, for those who changed that one."""
        super().__init__(setting, problem, remedy)
        self.setting = setting
        self.problem = problem
        self.remedy = remedy
        self.others = dict(others or {})

    def __str__(self) -> str:
        return f"{self.setting}: {self.problem}; {self.remedy}"


def no_bot() -> WrongSetting:
    """A command needs bots, and the settings name none."""
    remedy = "write BOT_TOKENS=<what @BotFather gave you>, or try `passerby demo`, which needs none"
    return WrongSetting("BOT_TOKENS", "no bot is named", remedy)


def log_of_another(log: str, database: str) -> WrongSetting:
    """Two databases whose names differ only in their ending would share a log."""
    problem = f"{log} belongs to {database}, which is in the same directory"
    return WrongSetting("SQLITE_DB_PATH", problem, "give this database another name, or a directory of its own")
