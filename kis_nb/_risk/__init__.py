"""Estimates of what an account would gain or lose: Greeks, scenarios, distance to a margin call.

A balance holds prices and amounts of one moment; everything here is worked out from them by an
option model and is an estimate, in Float64. Prices, implied volatilities and Greeks are QuantLib's
(Black-76 on the forward of the option's expiry).

May import `_client`, `_frames`, `_codes`, `_account`, `_choices`, `_errors` and `_seoul`.
"""
