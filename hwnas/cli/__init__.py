"""The command line: one file per command; nothing but parsing and printing."""
