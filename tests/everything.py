"""The trade side with all it has switched on: every indication, both modes, every strategy."""

from tests.indicating import ALL_ON, EASY_AUTO, LENIENT

from engine.settings import Settings, with_values

STRATEGIES: dict[str, object] = {
    "tradeMode": "both",
    "dcaEnabled": True,
    "profitBackEnabled": True,
    "blockEnabled": True,
    "levelEnabled": True,
    "exitOnOpposite": True,
    "mainPositionTimeoutHours": 1,
    "presetConfluence": 1,
    "dcaDistances": ["0.1", "0.2", "0.3", "0.4"],
    "dcaStepCooldownSeconds": 5,
}
SMALL: dict[str, object] = {
    "gridRanges": [3, 5],
    "gridTakeProfits": ["3", "6"],
    "gridStopLosses": ["0.6", "1.0"],
    "stepRelationMaxRatio": "2",
    "databaseSizeBase": 50,
}


def everything(**values: object) -> Settings:
    """All of it over a small grid, with filters and proofs that walks at random can pass."""
    easy: dict[str, object] = {**LENIENT, **ALL_ON, **EASY_AUTO, **STRATEGIES, **SMALL}
    easy |= dict.fromkeys(("baseProfitFactor", "mainProfitFactor", "realProfitFactor"), "0.1")
    easy |= {"profitFactorMinMain": "0.1", "setDrawdownRatio": "0.5"}
    return with_values(Settings(), {**easy, **values})
