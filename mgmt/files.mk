# `sekisho journal verify` reads a record folder by the code that wrote it.
CLI_SRC = $(wildcard mgmt/cli/*.c) $(addprefix appliance/,journal_chain.c journal_line.c journal_verify.c)
MGMT_SRC = $(wildcard mgmt/*.c) $(wildcard mgmt/api/*.c)

# The test of the whole command line runs the program itself.
$(B)/tests/test_cli_verbs: | $(B)/sekisho
