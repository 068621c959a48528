"""What every model of the API shares."""

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Asked(BaseModel):
    """Something a caller sends: an unknown name is an error, not a silent nothing."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class AskedCamel(BaseModel):
    """The same with names as the mission documents write them: `closePositions`."""

    model_config = ConfigDict(
        extra="forbid", str_strip_whitespace=True, alias_generator=to_camel, populate_by_name=True
    )


class Told(BaseModel):
    """Something the API answers."""

    model_config = ConfigDict(extra="forbid")


class ToldCamel(BaseModel):
    """The same with names such as `entryPrice`."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, populate_by_name=True)


class Problem(Told):
    """The answer to every failed request."""

    success: bool = False
    error: str
    details: list[object] = []


class ReasonTold(Told):
    """One unmet condition."""

    code: str
    message: str


class Conflict(Problem):
    """The answer 409: right in itself, wrong in the present state."""

    reasons: list[ReasonTold] = []
