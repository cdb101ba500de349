# `sekisho journal verify` reads a record folder by the code that wrote it.
CLI_SRC = $(wildcard mgmt/cli/*.c mgmt/cli/*/*.c mgmt/state/*.c) $(addprefix appliance/journal/,chain.c checkpoint.c line.c segment.c verify.c)
MGMT_SRC = $(wildcard mgmt/web/*.c mgmt/web/api/*.c mgmt/web/pages/*.c mgmt/state/*.c)

# The test of the whole command line runs the program itself.
$(B)/tests/test_cli_verbs: | $(B)/sekisho
