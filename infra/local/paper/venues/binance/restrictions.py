"""What the key may do, as the main site tells it."""

from local.paper.core.exchange import PaperExchange
from local.paper.venues.binance.parameters import Parameters
from local.paper.venues.binance.shapes import Json

_CREATED_MS = 1_698_645_219_000


def of_key(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /sapi/v1/account/apiRestrictions``."""
    key = exchange.scripts.key
    return {
        "ipRestrict": key.is_address_bound, "createTime": _CREATED_MS,
        "enableReading": True, "enableWithdrawals": key.can_withdraw,
        "enableInternalTransfer": False, "enableMargin": False, "enableFutures": key.can_trade,
        "permitsUniversalTransfer": False, "enableVanillaOptions": False,
        "enableFixApiTrade": False, "enableFixReadOnly": False,
        "enableSpotAndMarginTrading": key.can_trade, "enablePortfolioMarginTrading": False,
    }  # fmt: skip
