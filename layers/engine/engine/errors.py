"""The error tree, split by what the caller does next.

CtsError
├── RetryableError          try the same thing again, later
│   ├── VenueBusyError      the venue or the way to it is overloaded or asks for silence
│   └── StoreBusyError      the store throttled, or two transactions touched one row
├── RefusedError            this input can never work; tell whoever sent it
│   ├── InvalidSettingError
│   ├── InvalidCandleError
│   ├── VenueRefusedError   the venue understood and said no
│   └── ShortKeyTakenError  another open position holds the short key
└── HaltError               stop this worker; somebody or something else must act
    ├── LeaseLostError      another owner runs the loop now
    ├── CredentialsError    the venue does not accept the key
    │   └── RestrictedLocationError  the venue serves nobody at this place
    └── CorruptStateError   stored state contradicts itself

Expected refusals of the trading rules are values with a reason code, not errors.
"""


class CtsError(Exception):
    """Base of every error raised by CTS."""


class RetryableError(CtsError):
    """The same call may succeed later."""


class VenueBusyError(RetryableError):
    """The venue, or the way to it, is overloaded or asks for silence until `until_ms`."""

    def __init__(self, message: str, *, until_ms: int | None = None) -> None:
        super().__init__(message)
        self.until_ms = until_ms


class StoreBusyError(RetryableError):
    """The store throttled the call, or another transaction touched the same row."""


class RefusedError(CtsError):
    """The input cannot work, however often it is tried."""


class InvalidSettingError(RefusedError):
    """Settings are unknown, outside their ranges, or do not fit together.

    `problems` holds (key, sentence) of each one; the key is empty where several do not fit.
    """

    def __init__(self, message: str, problems: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(message)
        self.problems = problems or (("", message),)


class InvalidCandleError(RefusedError):
    """Candles are out of order, not finite, or of the wrong shape."""


class VenueRefusedError(RefusedError):
    """The venue understood the request and refused it; `code` is the venue's own."""

    def __init__(self, message: str, *, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class ShortKeyTakenError(RefusedError):
    """Positions could not open because others hold their short keys, `short_keys`."""

    def __init__(self, short_keys: tuple[str, ...]) -> None:
        super().__init__(f"short keys are taken: {', '.join(short_keys)}")
        self.short_keys = short_keys


class HaltError(CtsError):
    """The worker must stop."""


class LeaseLostError(HaltError):
    """Another owner runs the loop now."""


class CredentialsError(HaltError):
    """The venue does not accept the key, its signature or its permissions."""


class RestrictedLocationError(CredentialsError):
    """The venue serves nobody at our place in the world, whatever the key."""


class CorruptStateError(HaltError):
    """Stored state contradicts itself; rebuilding it is safer than going on."""
