"""Settings under which a young engine trades within minutes."""

from collections.abc import Mapping

LENIENT: Mapping[str, object] = {
    "tradeMode": "main",
    "marketActivityEnabled": False,
    "drawdownRatio": "0.5",
    "setDrawdownRatio": "0.5",
    "marketChangeRange": 1,
    "lastPartRatioFactor": "1.0",
    "gridRanges": [3, 5],
    "activeThresholds": ["0.5"],
    "gridTakeProfits": ["3", "5"],
    "gridStopLosses": ["0.6", "1.0"],
    "stepRelationMaxRatio": "2",
    "databaseSizeBase": 50,
}
"""A small grid, and filters that let most of it through."""
