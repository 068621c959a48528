"""Common indicators: carried from bar to bar, over all symbols and parameter sets at once.

Every indicator has one shape. It is a frozen value that holds the columns of its P parameter
sets; `fresh(symbols)` makes a carry, a frozen value of (S, ...) arrays; and
`advance(carry, bars)` returns the carry after T bars and the outputs, (T, S, P) float64, NaN
where a symbol warms up. However bars are cut in time and symbols are grouped, carries and outputs
are the same to the bit, and no output depends on a later bar.

Prices are integer ticks. Sums, maxima and minima over windows run on integers; floats live in
recursions alone, elementwise over symbols in a loop over time. A bar without a known price is no
bar: the carry stays as it is and the output is NaN, so an indicator with gaps is the indicator of
the known bars in their order.

Starting values are those of TA-Lib: an exponential average begins with the mean of its first
values, and so on as each indicator says.
"""
