"""The audit log: what was done, and whether somebody changed what it says."""

from chalice.app import Blueprint

from adapters.tokens import Role
from models.access import AuditAnswer, AuditQuery, VerifyAnswer, VerifyQuery
from operation import operation
from services import services

audit = Blueprint(__name__)


@operation(audit, ("GET",), "/api/audit", query=AuditQuery, answer=AuditAnswer, role=Role.ADMIN)
def read_audit(*, query: AuditQuery, caller: str) -> AuditAnswer:
    """Who did what, latest first."""
    return AuditAnswer.model_validate(services().audit_views.lines(**dict(query)))


@operation(
    audit,
    ("GET",),
    "/api/audit/verify",
    query=VerifyQuery,
    answer=VerifyAnswer,
    failures=(404,),
    role=Role.ADMIN,
)
def verify_audit(*, query: VerifyQuery, caller: str) -> VerifyAnswer:
    """Recompute the chains: a changed, removed, inserted or exchanged line shows."""
    return VerifyAnswer.model_validate(services().audit_views.verified(query.subject))
