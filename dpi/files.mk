# The inspector: the same code in the worker, in replay and in the tests.
DPI_SRC = $(wildcard dpi/*.c dpi/*/*.c)
