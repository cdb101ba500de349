POLICY_SRC = $(foreach d,read check space compile render ir ir/skeleton,$(wildcard policy/$(d)/*.c))
