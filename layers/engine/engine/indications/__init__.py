"""Indications: directional signals from candles, each with the values it was decided on."""
