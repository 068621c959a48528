"""How a venue takes the names of our orders: whole, in 28 characters, or as a number."""

import base64
from enum import StrEnum

from adapters.names import OrderNames
from adapters.numbered import as_number, number_of
from engine.ledger import Purpose
from engine.orders import OrderName, is_ours, order_name, parsed

_SHORT = "cts"
_PURPOSES = tuple(Purpose)
_ATTEMPTS = 36**3
_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
_DIGITS = len("a" * 25)
_BYTES = 18  # 24 characters of base 64


class Naming(StrEnum):
    """What the venue allows in a client id."""

    FULL = "full"
    SHORT = "short"
    NUMBER = "number"


def told_as(client_order_id: str, naming: Naming) -> str:
    """The id as the venue takes it; one that is none of ours goes out as it is."""
    name = parsed(client_order_id)
    if naming is Naming.FULL or name is None:
        return client_order_id
    return str(number_of(client_order_id)) if naming is Naming.NUMBER else _short(name)


def meant_by(told: str, naming: Naming, names: OrderNames) -> str:
    """The id behind what the venue told; what is none of ours comes back as it is."""
    if naming is Naming.SHORT:
        return _long(told)
    number = as_number(told) if naming is Naming.NUMBER else None
    return told if number is None else names.numbered(number) or told


def _short(name: OrderName) -> str:
    """28 characters at most: the same facts in base 64."""
    number = _PURPOSES.index(name.purpose) * _ATTEMPTS + name.attempt
    for letter in name.position_id:
        number = number * 32 + _LETTERS.index(letter)
    return _SHORT + base64.urlsafe_b64encode(number.to_bytes(_BYTES)).decode()


def _long(told: str) -> str:
    text = told.removeprefix("t-")
    if not text.startswith(_SHORT) or len(text) != len(_SHORT) + 24:
        return told
    try:
        number = int.from_bytes(
            base64.b64decode(text[len(_SHORT) :], altchars=b"-_", validate=True)
        )
    except ValueError:
        return told
    made = _named(number)
    return told if made is None else order_name(made.position_id, made.purpose, made.attempt)


def _named(number: int) -> OrderName | None:
    letters = []
    for _ in range(_DIGITS):
        number, place = divmod(number, 32)
        letters.append(_LETTERS[place])
    purpose, attempt = divmod(number, _ATTEMPTS)
    if purpose >= len(_PURPOSES):
        return None
    position = "".join(reversed(letters))
    made = OrderName(purpose=_PURPOSES[purpose], attempt=attempt, position_id=position)
    return made if is_ours(order_name(position, made.purpose, attempt)) else None
