.PHONY: netns-programs
netns-programs: $(B)/tests/test_sandbox
