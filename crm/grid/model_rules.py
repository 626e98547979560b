"""What a model's own field says of a value: its bounds, lengths, patterns and validators, as pydantic knows them."""

from typing import Any

from pydantic import ValidationError

from crm.errors import ThanosError
from crm.grid.fields import Model
from crm.i18n import Says, says


def why_not(model: Model, name: str, value: Any, unit: int = 1) -> Says | None:
    """Why the field does not take the value; None where it does. Bounds are told in units of so many."""
    try:
        model.__pydantic_validator__.validate_assignment(_blank(model), name, value)
    except ValidationError as error:
        return next((_told(one, value, unit) for one in error.errors() if one["loc"][:1] == (name,)), None)
    except ThanosError as error:
        return error.says
    except (AttributeError, KeyError):
        # A validator looks at other fields too, which are not there. Of the row as a whole the service decides.
        return None
    return None


def _blank(model: Model) -> Any:
    """A row of the model that holds nothing and that no session knows."""
    made = model.__new__(model)
    for part, empty in (("__dict__", {}), ("__pydantic_fields_set__", set()), ("__pydantic_extra__", None)):
        object.__setattr__(made, part, empty)
    return made


def _told(error: Any, value: Any, unit: int) -> Says:
    found = error.get("ctx", {})
    match error["type"]:
        case "greater_than":
            return says("More than {least}.", least=_in_units(found["gt"], unit))
        case "less_than":
            return says("Less than {most}.", most=_in_units(found["lt"], unit))
        case "greater_than_equal":
            return says("At least {least}.", least=_in_units(found["ge"], unit))
        case "less_than_equal":
            return says("At most {most}.", most=_in_units(found["le"], unit))
        case "string_too_short":
            return says("At least {count} characters are needed here.", count=found["min_length"])
        case "string_too_long":
            return says("At most {count} characters fit here.", count=found["max_length"])
        case "value_error" | "assertion_error":
            return says("{text}", text=str(found["error"]))
    return says("{value} does not have the form that is asked for here.", value=str(value)[:40])


def _in_units(bound: Any, unit: int) -> Any:
    if not isinstance(bound, int | float):
        return bound
    number = bound / unit
    return int(number) if float(number).is_integer() else number
