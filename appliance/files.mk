# Sources by folder. A program or a test links folders from here, or single files by name.
BASE_SRC = $(wildcard appliance/base/*.c)
WIRE_SRC = $(wildcard appliance/wire/*.c)
# One folder a role, and the ground floors that they stand on.
APPLIANCE_SRC = appliance/main.c $(foreach d,role kernel box store supervise enforce gate worker tap journal compile,$(wildcard appliance/$(d)/*.c))
