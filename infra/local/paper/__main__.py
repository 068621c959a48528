"""``python -m local.paper``: run the paper exchange."""

import argparse
import asyncio
import sys
from pathlib import Path

from local.paper.opening import PaperOptions
from local.paper.server import serve


def options(arguments: list[str]) -> PaperOptions:
    """Command line to options."""
    parser = argparse.ArgumentParser(prog="python -m local.paper", description=__doc__)
    parser.add_argument("--port", type=int, default=9443, help="TLS port of the venue")
    parser.add_argument("--control-port", type=int, default=9444, help="port of /books and /health")
    parser.add_argument(
        "--dir", type=Path, default=Path(".cts/paper"), help="certificates and books"
    )
    parser.add_argument("--symbols", type=int, default=8, help="number of symbols, 1..200")
    parser.add_argument("--seed", type=int, default=7, help="seed of the generated market")
    parser.add_argument("--tape", type=Path, help="csv or csv.gz with trades or candles, looped")
    parser.add_argument(
        "--begin", type=int, metavar="SECOND",
        help="second of the generated market (Unix time) that plays when DIR is first served",
    )  # fmt: skip
    parser.add_argument("--no-stream", action="store_true", help="refuse WebSocket connections")
    given = parser.parse_args(arguments)
    return PaperOptions(
        port=given.port, control_port=given.control_port, directory=given.dir,
        symbols=given.symbols, seed=given.seed, tape=given.tape,
        begin_s=given.begin, stream=not given.no_stream,
    )  # fmt: skip


def main() -> int:
    """Serve until stopped; a bad option or a taken port is one sentence on stderr."""
    try:
        asyncio.run(serve(options(sys.argv[1:])))
    except (ValueError, OSError) as error:
        print(f"paper exchange: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
