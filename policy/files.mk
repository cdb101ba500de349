POLICY_SRC = $(foreach d,read check space compile render ir,$(wildcard policy/$(d)/*.c))
