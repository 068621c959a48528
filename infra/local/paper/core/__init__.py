"""The exchange itself: accounts, orders, matching and the journal. Knows no wire protocol."""
