CLI_SRC = $(wildcard mgmt/cli/*.c)
MGMT_SRC = $(wildcard mgmt/*.c) $(wildcard mgmt/api/*.c)
