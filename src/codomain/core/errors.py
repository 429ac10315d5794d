"""Errors that say what came, what was needed and what to type."""


class UserError(ValueError):
    """Something a person can mend: the command line prints it and exits with 2.

    Parameters
    ----------
    came : str
        What was found.
    needed : str, default=""
        What would have been accepted.
    todo : str, default=""
        What to type or change.
    """

    def __init__(self, came: str, *, needed: str = "", todo: str = "") -> None:
        self.came, self.needed, self.todo = came, needed, todo
        parts = [came, f"Needed: {needed}" if needed else "", f"To mend it: {todo}" if todo else ""]
        super().__init__("\n".join(part for part in parts if part))


class DamagedError(UserError):
    """A file does not match its seal, so nothing is read from it."""


class EncoderMismatch(UserError):  # noqa: N818 - the name says what happened
    """Two things made by different encoders would have been mixed."""
