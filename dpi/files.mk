# The inspector: the same code in the worker, in replay and in the tests.
DPI_SRC = $(wildcard dpi/*.c dpi/inspect/*.c dpi/modbus/*.c dpi/slmp/*.c dpi/enip/*.c dpi/s7comm/*.c)
