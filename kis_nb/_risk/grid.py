"""The default grid of scenarios: moves of the reference level, and changes of volatility."""

from __future__ import annotations

# Relative moves of the level: 0.03 is 3 % up.
SPOTS = tuple(round(step * 0.005, 4) for step in range(-20, 21))
# Relative changes of each volatility: 0.2 turns 15 % a year into 18 %.
VOLS = tuple(round(step * 0.1, 4) for step in range(-3, 6))
# The scenario that the first answer is about: the index opens 3 % lower, volatility a fifth up.
HEADLINE = (-0.03, 0.2)
