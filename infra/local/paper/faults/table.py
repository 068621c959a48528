"""The page on faults: ``python -m local.paper.faults.table > infra/docs/faults.md``."""

from local.paper.faults.kinds import KINDS, Kind, Parameter, Where

_HEAD = """# Faults of the paper exchange

The paper exchange does on request what venues and networks do to a client. A *plan* is a seed and a
list of rules; the same seed, rules and requests give the same strikes. Its control port, which no
client of the venue sees, takes and shows it:

- `POST /faults` adds rules: `{"seed": 7, "rules": [RULE, …]}`. With a seed the plan begins anew. A
  wrong rule is refused with its field, its value and what is allowed, and none is added.
- `GET /faults` shows every rule with how often it matched and struck; `while_lasting` counts the
  requests that came during a ban or maintenance it had begun, where there should be none.
- `DELETE /faults` ends all rules, and scripted executions, thin books and shifted mark prices. What
  has happened stays: filters, modes, orders, and the silence of a socket that was muted.
- `POST /faults/now` does one thing at once: any fault of the books, or `close`, `abort_socket` and
  `mute` of the sockets that follow a topic. The answer tells what became of it, by venue.

A rule:

```json
{"fault": "unknown_result", "venue": "binance", "route": "POST /fapi/v1/order", "nth": 2,
 "with": {"executed": "yes"}}
```

| field | meaning |
|---|---|
| `fault` | a kind of the tables below |
| `with` | the kind's parameters |
| `venue` | `*` (all) or one venue |
| `route` | pattern (`*`, `?`) of `METHOD /path`, for requests and books |
| `topic` | pattern of a frame's topic, for sockets: a market stream in the venue's words, \
`private.order`, `private.algo`, `private.account`, `private.config`, or `reply` |
| `nth`, `every`, `chance` | one of them: that match alone, each so many-th, or each with a \
chance; without any every match is struck |
| `most` | rest after so many strikes |
| `from_ms`, `until_ms` | only in that time of the venue's clock (epoch) |
| `at_ms` | books only: once at that moment, tied to no request |

Several rules may strike one request: waits add up, and the first that words an answer does. Errors
come in the venue's own words, status and headers; the codes below are Binance's. `executed` \
says whether the request was carried
out behind an unclear answer: `yes`, `no` or, by the plan's seed, `draw`. A fault of the books that
is tied to a request follows it, but for those that shape it: scripted executions, changed filters,
conditional orders that fire.
"""
_TITLES = {
    Where.REST: "Requests",
    Where.SOCKET: "Sockets",
    Where.BOOK: "The account and the books",
}


def page() -> str:
    """The whole page."""
    parts = [_HEAD]
    for where, title in _TITLES.items():
        rows = [_row(one) for one in KINDS.values() if one.where is where]
        parts.append(
            f"\n## {title}\n\n| kind | parameters | what a client sees |\n|---|---|---|\n"
            + "".join(rows)
        )
    return "".join(parts)


def _row(kind: Kind) -> str:
    given = "<br>".join(_parameter(one) for one in kind.parameters) or "none"
    return f"| `{kind.name}` | {given} | {kind.seen} |\n"


def _parameter(one: Parameter) -> str:
    default = "must be given" if one.default is None else f"default {one.default!r}"
    return f"`{one.name}`: {one.allowed}; {default}"


if __name__ == "__main__":
    print(page(), end="")
