"""Callers by AWS's signature: who is named, of our own account, where signatures are chosen."""

import pytest

from adapters.iam_callers import IamCallers
from adapters.refusals import ForbiddenError
from adapters.tokens import Role
from engine.errors import RefusedError

ACCOUNT = "123456789012"
CALLERS = IamCallers.of(
    {
        "CTS_API_AUTH": "iam",
        "CTS_API_IAM_CALLERS": "user/alice=admin  role/operators=operator user/ops/bob=viewer",
        "CTS_API_IAM_ACCOUNT": ACCOUNT,
    }
)


def arn(kind: str, *, account: str = ACCOUNT, service: str = "iam") -> dict[str, object]:
    return {"userArn": f"arn:aws:{service}::{account}:{kind}"}


@pytest.mark.parametrize(
    ("identity", "role", "name"),
    [
        (arn("user/alice"), Role.ADMIN, "admin-user/alice"),
        (arn("user/ops/bob"), Role.VIEWER, "viewer-user/ops/bob"),
        (
            arn("assumed-role/operators/carol", service="sts"),
            Role.OPERATOR,
            "operator-role/operators",
        ),
    ],
)
def test_who_is_named_has_the_role_it_is_given(
    identity: dict[str, object], role: Role, name: str
) -> None:
    assert CALLERS is not None

    caller = CALLERS.caller(identity)

    assert (caller.role, caller.name, caller.connections) == (role, name, None)


@pytest.mark.parametrize(
    "identity",
    [
        {},
        {"userArn": None},
        {"userArn": "user/alice"},
        arn("user/mallory"),
        arn("user/alice", account="999999999999"),
        arn("assumed-role/alice/alice", service="sts"),
        arn("assumed-role/others/operators", service="sts"),
        arn("role/alice"),
        {"userArn": f"arn:aws:iam::{ACCOUNT}:root"},
        {"userArn": f"x arn:aws:iam::{ACCOUNT}:user/alice"},
    ],
)
def test_nobody_else_is_let_in(identity: dict[str, object]) -> None:
    assert CALLERS is not None

    with pytest.raises(ForbiddenError):
        CALLERS.caller(identity)


@pytest.mark.parametrize("environ", [{}, {"CTS_API_AUTH": ""}, {"CTS_API_AUTH": "token"}])
def test_tokens_decide_unless_signatures_are_chosen(environ: dict[str, str]) -> None:
    named = {**environ, "CTS_API_IAM_CALLERS": "user/alice=admin"}

    assert IamCallers.of(named) is None


@pytest.mark.parametrize(
    "environ",
    [
        {"CTS_API_AUTH": "none"},
        {"CTS_API_AUTH": "iam", "CTS_API_IAM_CALLERS": "user/alice=king"},
        {"CTS_API_AUTH": "iam", "CTS_API_IAM_CALLERS": "alice=admin"},
        {"CTS_API_AUTH": "iam", "CTS_API_IAM_CALLERS": "user/*=admin"},
    ],
)
def test_what_cannot_be_read_lets_nobody_in(environ: dict[str, str]) -> None:
    with pytest.raises(RefusedError, match="CTS_API"):
        IamCallers.of(environ)
