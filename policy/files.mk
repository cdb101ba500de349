POLICY_SRC = $(wildcard policy/*.c)
