"""The position side as a pure function: everything between a wish and a closed position."""

from engine.desk.leaving import may_leave
from engine.desk.plan import plan_positions
from engine.desk.state import DeskInputs, DeskPlan, DeskState, HaltProof, LogFact

__all__ = [
    "DeskInputs",
    "DeskPlan",
    "DeskState",
    "HaltProof",
    "LogFact",
    "may_leave",
    "plan_positions",
]
