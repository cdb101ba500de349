# Sources of the shared base and of the roles of sekishod.
BASE_SRC = $(addprefix appliance/base/,addr.c alarm.c arena.c bytes.c clock.c commands.c diag.c diag_json.c diag_print.c err.c \
	event.c json.c messages.c protocols.c reason.c sha256.c utf8.c vocabulary.c) appliance/ipc/msg.c
APPLIANCE_SRC = $(wildcard appliance/*.c)
