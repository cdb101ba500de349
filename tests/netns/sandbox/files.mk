.PHONY: netns-programs
netns-programs: $(B)/tests/test_sandbox $(B)/tests/test_form $(B)/tests/test_orders
