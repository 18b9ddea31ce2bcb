"""Executing a program with less memory: in another order, or in patches."""
