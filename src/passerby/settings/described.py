"""Settings in words: for the reference, for `.env.example` and for remedies."""

from typing import NamedTuple

from pydantic import BaseModel, SecretStr

from passerby.kernel.money import Plan
from passerby.kernel.rules import Brand


class Described(NamedTuple):
    """A setting as the reference and `.env.example` show it. `default` is empty if there is none."""

    name: str
    default: str
    limits: str
    description: str
    example: str


def plainly(value: object) -> str:
    """A value as the operator may write it. Empty for None."""
    if value is None or value == ():
        return ""
    if isinstance(value, tuple):
        return ", ".join(map(plainly, value))
    if isinstance(value, Brand):
        return f"{value.name}={'+'.join(map(str, (*value.languages, *value.bots)))}"
    if isinstance(value, Plan):
        bots = f"@{'+'.join(map(str, value.bots))}" * bool(value.bots)
        return f"{value.name}={value.days}d:{value.stars}{':renews' * value.renews}{bots}"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _example(model: type[BaseModel], name: str) -> str:
    return str((model.model_fields[name].examples or [""])[0])


def write(model: type[BaseModel], name: str) -> str:
    """The remedy that every wrong setting has: write the example."""
    return f"write {name.upper()}={_example(model, name)}"


def limits(model: type[BaseModel], name: str) -> str:
    """The values that a setting accepts, in words. Empty if only its own validator knows them."""
    field = model.model_fields[name]
    bounds = {key: getattr(rule, key) for rule in field.metadata for key in ("ge", "le") if hasattr(rule, key)}
    if bounds:
        kind = "whole number" if field.annotation is int else "number"
        return f"a {kind} from {bounds['ge']} to {bounds['le']}"
    choices = getattr(field.annotation, "__args__", ())
    return " or ".join(choices) if choices and all(isinstance(choice, str) for choice in choices) else ""


def describe(model: type[BaseModel]) -> list[Described]:
    """All settings of the model, in the order of their declaration. Inherited ones come last."""
    described = []
    for name, field in sorted(model.model_fields.items(), key=lambda each: each[0] not in model.__annotations__):
        default = field.get_default()
        if isinstance(default, SecretStr):  # a default is not a secret
            default = default.get_secret_value()
        words = (plainly(default), limits(model, name), str(field.description), _example(model, name))
        described.append(Described(name.upper(), *words))
    return described
