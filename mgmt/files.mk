CLI_SRC = $(wildcard mgmt/cli/*.c)
MGMT_SRC = $(wildcard mgmt/*.c) $(wildcard mgmt/api/*.c)

# The test of the whole command line runs the program itself.
$(B)/tests/test_cli_verbs: | $(B)/sekisho
