"""The control port's routes for faults: rules in, counts out, and faults at once."""

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from local.paper.faults import Fault, FaultPlan, RuleError, read_rule
from local.paper.served import Served

DEFAULT_SEED = 0
_NOW = ("close", "abort_socket", "mute")


class FaultRoutes:
    """``GET``, ``POST`` and ``DELETE /faults``, and ``POST /faults/now``."""

    def __init__(self, plan: FaultPlan, venues: Mapping[str, Served]) -> None:
        self._plan = plan
        self._venues = venues

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/faults", self._show),
            web.post("/faults", self._add),
            web.delete("/faults", self._clear),
            web.post("/faults/now", self._now),
        ]

    async def _show(self, request: web.Request) -> web.Response:
        return self._shown()

    async def _add(self, request: web.Request) -> web.Response:
        """``{"seed": …, "rules": […]}``; all rules or none. A seed starts the plan anew."""
        try:
            given = await _object(request, ("seed", "rules"))
            seed, rules = given.get("seed"), given.get("rules", [])
            if seed is not None and (not isinstance(seed, int) or isinstance(seed, bool)):
                raise RuleError("seed", seed, "a whole number")
            if not isinstance(rules, list):
                raise RuleError("rules", rules, "a list of rules")
            read = [read_rule(one, venues=self._venues) for one in rules]
        except RuleError as error:
            return _refused(error)
        if seed is not None:
            self._plan.clear(seed)
        self._plan.add(read)
        return self._shown()

    async def _clear(self, request: web.Request) -> web.Response:
        """No more rules, and no scripted executions, thin books or shifted mark prices."""
        self._plan.clear()
        for one in self._venues.values():
            one.wire.exchange.scripts.clear()
        return self._shown()

    async def _now(self, request: web.Request) -> web.Response:
        """One rule without selectors: done at once at its venue, or at all of them."""
        try:
            rule = read_rule(await _object(request, None), venues=self._venues)
            if rule.where == "rest" or (rule.where == "socket" and rule.fault not in _NOW):
                raise RuleError("fault", rule.fault, f"of the books, or one of {', '.join(_NOW)}")
            fault = Fault(rule=rule, number=1, until_ms=0, draw=0.0)
            names = self._venues if rule.venue == "*" else (rule.venue,)
            done = {name: self._venues[name].act(fault) for name in names}
        except RuleError as error:
            return _refused(error)
        return web.json_response({"done": done})

    def _shown(self) -> web.Response:
        return web.json_response({"seed": self._plan.seed, "rules": self._plan.report()})


async def _object(request: web.Request, names: tuple[str, ...] | None) -> dict[str, Any]:
    text = await request.text()
    try:
        given = json.loads(text)
    except ValueError:
        raise RuleError("body", text[:80], "JSON") from None
    if not isinstance(given, dict):
        raise RuleError("body", given, "an object")
    for name in given:
        if names is not None and name not in names:
            raise RuleError("field", name, f"one of {', '.join(names)}")
    return given


def _refused(error: RuleError) -> web.Response:
    return web.json_response({"error": str(error)}, status=400)
