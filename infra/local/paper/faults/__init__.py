"""Faults on request: a seeded plan of rules, and what they do to requests, sockets and books."""

from local.paper.faults.plan import Fault, FaultPlan
from local.paper.faults.rules import Rule, RuleError, read_rule

__all__ = ["Fault", "FaultPlan", "Rule", "RuleError", "read_rule"]
