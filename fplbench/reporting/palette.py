"""Colours of charts: those of Okabe and Ito (2008), which differ for every kind of colour vision."""

BLUE = "#0072B2"
ORANGE = "#E69F00"
GREEN = "#009E73"
VERMILION = "#D55E00"
PURPLE = "#CC79A7"
SKY_BLUE = "#56B4E9"
DARK_BLUE = "#00406B"  # not of Okabe and Ito: beside vermilion it differs in grey too
