"""Numbers that DynamoDB keeps exactly: integers and decimals, never floats."""

from decimal import Decimal

from pynamodb.attributes import Attribute
from pynamodb.constants import NUMBER

MAX_DIGITS = 38  # of a DynamoDB number
MAX_EXPONENT = 125  # of its first digit
MIN_EXPONENT = -130


class IntegerAttribute(Attribute[int]):
    """A whole number."""

    attr_type = NUMBER

    def serialize(self, value: int) -> str:
        return str(int(value))

    def deserialize(self, value: str) -> int:
        return int(value)


class DecimalAttribute(Attribute[Decimal]):
    """An exact decimal; one that a DynamoDB number cannot hold is refused, never rounded."""

    attr_type = NUMBER

    def serialize(self, value: Decimal) -> str:
        return decimal_text(value)

    def deserialize(self, value: str) -> Decimal:
        return Decimal(value)


def decimal_text(value: Decimal | int) -> str:
    """`value` as DynamoDB takes it.

    Raises
    ------
    ValueError
        If it is a float, not finite, longer than 38 digits, or outside 1E-130 to 9.9E+125.
    """
    if not isinstance(value, Decimal | int):
        raise ValueError(f"a stored decimal must not come from {value!r}, which is not exact")
    number = Decimal(value)
    if not number.is_finite():
        raise ValueError(f"a stored decimal must be finite, was {number}")
    if not number:
        return "0"
    digits = "".join(map(str, number.as_tuple().digits)).strip("0")
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"a stored decimal has at most {MAX_DIGITS} digits, was {number}")
    if not MIN_EXPONENT <= number.adjusted() <= MAX_EXPONENT:
        raise ValueError(
            f"a stored decimal lies in 1E{MIN_EXPONENT} to 9.9E+{MAX_EXPONENT}, was {number}"
        )
    return str(number)
