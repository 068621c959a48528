"""Callers whom AWS itself has recognised by their signature, and the role CTS gives them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from adapters.refusals import ForbiddenError
from adapters.tokens import Caller, Role
from engine.errors import RefusedError

TOKEN, IAM = "token", "iam"
_ARN = re.compile(r"arn:[\w-]+:(?:iam|sts)::(\d{12}):(user|role|assumed-role)/([\w+=,.@/-]+)")


@dataclass(frozen=True, slots=True)
class IamCallers:
    """Roles by identity: `user/alice` or `role/operators`, of the deployment's own account."""

    roles: Mapping[str, Role]
    account: str

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "IamCallers | None":
        """What CTS_API_IAM_CALLERS names if CTS_API_AUTH is `iam`, else None: tokens decide.

        Raises
        ------
        RefusedError
            Naming what cannot be read; nobody is let in then.
        """
        wanted = environ.get("CTS_API_AUTH", TOKEN) or TOKEN
        if wanted not in (TOKEN, IAM):
            raise RefusedError(f"CTS_API_AUTH must be {TOKEN} or {IAM}, was {wanted!r}")
        if wanted == TOKEN:
            return None
        named = [one.strip() for one in environ.get("CTS_API_IAM_CALLERS", "").split(" ")]
        roles = dict(_named(one) for one in named if one)
        return cls(roles, environ.get("CTS_API_IAM_ACCOUNT", ""))

    def caller(self, identity: Mapping[str, object]) -> Caller:
        """Whoever signed the request, as the gateway tells it.

        Raises
        ------
        ForbiddenError
            If it is of another account, or has no role here.
        """
        found = _ARN.fullmatch(str(identity.get("userArn") or ""))
        if found is None or found[1] != self.account:
            raise ForbiddenError("this AWS identity is not of the account that CTS runs in")
        kind, path = found[2], found[3]
        known = f"role/{path.partition('/')[0]}" if kind == "assumed-role" else f"{kind}/{path}"
        role = self.roles.get(known)
        if role is None:
            raise ForbiddenError("this AWS identity has no role in CTS")
        return Caller(name=f"{role}-{known}", role=role, caller_id=f"iam:{known}")


def _named(text: str) -> tuple[str, Role]:
    identity, _, role = text.rpartition("=")
    if not re.fullmatch(r"(?:user|role)/[\w+,.@/-]+", identity) or role not in list(Role):
        raise RefusedError(
            "CTS_API_IAM_CALLERS must hold words such as user/alice=admin or "
            f"role/operators=operator, held {text!r}"
        )
    return identity, Role(role)
