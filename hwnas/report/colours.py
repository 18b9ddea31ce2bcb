"""Okabe and Ito's colours, which colour-blind readers can tell apart; shapes differ as well."""

INK, MUTED, GRID, PAPER = "#1b2733", "#5b6773", "#e3e8ed", "#ffffff"
BLUE, SKY, ORANGE, VERMILION, GREEN, GREY = "#0072b2", "#56b4e9", "#e69f00", "#d55e00", "#009e73", "#8a949e"
