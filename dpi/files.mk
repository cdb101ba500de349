# The inspector core is the same code in the worker, in replay and in the tests; worker.c and ring.c are the live outside.
DPI_CORE_SRC = $(filter-out dpi/worker.c dpi/worker_messages.c dpi/ring.c dpi/queue.c,$(wildcard dpi/*.c))
DPI_LIVE_SRC = dpi/worker.c dpi/worker_messages.c dpi/ring.c dpi/queue.c
