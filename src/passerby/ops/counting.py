"""Numbers with their nouns, for sentences to operators: 1 chat, 2 chats."""


def counted(number: float, one: str, many: str = "") -> str:
    """`many`: the plural, if it does not end in s only. A number with digits behind the point is shown without them."""
    shown = f"{number:,.0f}"
    return f"{shown} {one if shown == '1' else many or f'{one}s'}"
