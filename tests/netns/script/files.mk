# This suite compares with what this test sees.
netns-programs: $(B)/tests/test_script
