/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/fins/words.h"

#include "appliance/wire/vocabulary.h"

#define UNTOLD (UNTOLD_PLACE | UNTOLD_VALUE)
#define MEMORY (((uint64_t)1 << FINS_SPACES) - 1u)

/*
 * FINS Commands Reference Manual (W227), sections 2 to 7; Communications Commands of CS and CJ
 * (W342), section 5; Ethernet Units, Construction of Applications (W421), 7-4, and Construction of
 * Networks (W420), section 7. A code is the command; its lower half has the parameter, if the
 * parameter makes it another command. Programs, parameters, files and an Ethernet Unit's sockets
 * are programming, even when they are only read. The length of a frame is in the header around it
 * (FINS/TCP or UDP), so all servers find the same end of a command.
 */
static const struct function_info functions[] = {
	{ 0x00010000u, 0x00010000u, "node_address", 0, 0, 0, FRAMING_ALIKE },
	{ 0x00010001u, 0x00010001u, "node_address_told", 0, 0, 0, FRAMING_ALIKE },
	{ 0x00010003u, 0x00010003u, "frame_error", 0, 0, 0, FRAMING_ALIKE },
	{ 0x00010006u, 0x00010006u, "connection_confirmation", 0, 0, 0, FRAMING_ALIKE },
	{ 0x01010000u, 0x01010000u, "memory_area_read", CLASS_READ, MEMORY, 0, FRAMING_ALIKE },
	{ 0x01020000u, 0x01020000u, "memory_area_write", CLASS_WRITE, MEMORY, 0, FRAMING_ALIKE },
	{ 0x01030000u, 0x01030000u, "memory_area_fill", CLASS_WRITE, MEMORY, 0, FRAMING_ALIKE },
	{ 0x01040000u, 0x01040000u, "multiple_memory_area_read", CLASS_READ, MEMORY, 0, FRAMING_ALIKE },
	{ 0x01050000u, 0x01050000u, "memory_area_transfer", CLASS_READ | CLASS_WRITE, MEMORY, UNTOLD_VALUE,
	  FRAMING_ALIKE },
	{ 0x02010000u, 0x02010000u, "parameter_area_read", CLASS_PROGRAM, 0, UNTOLD, FRAMING_ALIKE },
	{ 0x02020000u, 0x02020000u, "parameter_area_write", CLASS_PROGRAM, 0, UNTOLD, FRAMING_ALIKE },
	{ 0x02030000u, 0x02030000u, "parameter_area_clear", CLASS_PROGRAM, 0, UNTOLD, FRAMING_ALIKE },
	{ 0x02200000u, 0x02200000u, "data_link_table_read", CLASS_PROGRAM, 0, UNTOLD, FRAMING_ALIKE },
	{ 0x02210000u, 0x02210000u, "data_link_table_write", CLASS_PROGRAM, 0, UNTOLD, FRAMING_ALIKE },
	{ 0x03040000u, 0x03040000u, "program_area_protect", CLASS_PROGRAM, 0, UNTOLD, FRAMING_ALIKE },
	{ 0x03050000u, 0x03050000u, "program_area_protect_clear", CLASS_PROGRAM, 0, UNTOLD, FRAMING_ALIKE },
	{ 0x03060000u, 0x03060000u, "program_area_read", CLASS_PROGRAM, 0, UNTOLD, FRAMING_ALIKE },
	{ 0x03070000u, 0x03070000u, "program_area_write", CLASS_PROGRAM, 0, UNTOLD, FRAMING_ALIKE },
	{ 0x03080000u, 0x03080000u, "program_area_clear", CLASS_PROGRAM, 0, UNTOLD, FRAMING_ALIKE },
	{ 0x04010000u, 0x04010000u, "run", CLASS_CONTROL, 0, 0, FRAMING_ALIKE },
	{ 0x04020000u, 0x04020000u, "stop", CLASS_CONTROL, 0, 0, FRAMING_ALIKE },
	{ 0x04030000u, 0x04030000u, "reset", CLASS_CONTROL, 0, 0, FRAMING_ALIKE },
	{ 0x05010000u, 0x05010000u, "controller_data_read", CLASS_DIAGNOSE, 0, 0, FRAMING_ALIKE },
	{ 0x05020000u, 0x05020000u, "connection_data_read", CLASS_DIAGNOSE, 0, 0, FRAMING_ALIKE },
	{ 0x06010000u, 0x06010000u, "controller_status_read", CLASS_DIAGNOSE, 0, 0, FRAMING_ALIKE },
	{ 0x06020000u, 0x06020000u, "network_status_read", CLASS_DIAGNOSE, 0, 0, FRAMING_ALIKE },
	{ 0x06030000u, 0x06030000u, "data_link_status_read", CLASS_DIAGNOSE, 0, 0, FRAMING_ALIKE },
	{ 0x06200000u, 0x06200000u, "cycle_time_initialize", CLASS_CONTROL, 0, 0, FRAMING_ALIKE },
	{ 0x06200001u, 0x06200001u, "cycle_time_read", CLASS_DIAGNOSE, 0, 0, FRAMING_ALIKE },
	{ 0x07010000u, 0x07010000u, "clock_read", CLASS_DIAGNOSE, 0, 0, FRAMING_ALIKE },
	{ 0x07020000u, 0x07020000u, "clock_write", CLASS_CONTROL, 0, 0, FRAMING_ALIKE },
	{ 0x08010000u, 0x08010000u, "echo_test", CLASS_DIAGNOSE, 0, 0, FRAMING_ALIKE },
	{ 0x08020000u, 0x08020000u, "broadcast_test_results_read", CLASS_DIAGNOSE, 0, 0, FRAMING_ALIKE },
	{ 0x08030000u, 0x08030000u, "broadcast_test_data_send", CLASS_DIAGNOSE, 0, 0, FRAMING_ALIKE },
	{ 0x09200000u, 0x09200000u, "message_read", CLASS_DIAGNOSE, 0, 0, FRAMING_ALIKE },
	{ 0x09204000u, 0x09204000u, "message_clear", CLASS_CONTROL, 0, 0, FRAMING_ALIKE },
	{ 0x09208000u, 0x09208000u, "fal_read", CLASS_DIAGNOSE, 0, 0, FRAMING_ALIKE },
	{ 0x0c010000u, 0x0c010000u, "access_right_acquire", CLASS_CONTROL, 0, 0, FRAMING_ALIKE },
	{ 0x0c020000u, 0x0c020000u, "access_right_forced_acquire", CLASS_CONTROL, 0, 0, FRAMING_ALIKE },
	{ 0x0c030000u, 0x0c030000u, "access_right_release", CLASS_CONTROL, 0, 0, FRAMING_ALIKE },
	{ 0x21010000u, 0x21010000u, "error_clear", CLASS_CONTROL, 0, 0, FRAMING_ALIKE },
	{ 0x21020000u, 0x21020000u, "error_log_read", CLASS_DIAGNOSE, 0, 0, FRAMING_ALIKE },
	{ 0x21030000u, 0x21030000u, "error_log_clear", CLASS_CONTROL, 0, 0, FRAMING_ALIKE },
	{ 0x21400000u, 0x21400000u, "access_log_read", CLASS_DIAGNOSE, 0, 0, FRAMING_ALIKE },
	{ 0x21410000u, 0x21410000u, "access_log_clear", CLASS_CONTROL, 0, 0, FRAMING_ALIKE },
	{ 0x22010000u, 0x22010000u, "file_name_read", CLASS_PROGRAM, 0, UNTOLD, FRAMING_ALIKE },
	{ 0x22020000u, 0x22020000u, "single_file_read", CLASS_PROGRAM, 0, UNTOLD, FRAMING_ALIKE },
	{ 0x22030000u, 0x22030000u, "single_file_write", CLASS_PROGRAM, 0, UNTOLD, FRAMING_ALIKE },
	{ 0x22040000u, 0x22040000u, "memory_card_format", CLASS_PROGRAM, 0, UNTOLD, FRAMING_ALIKE },
	{ 0x22050000u, 0x22050000u, "file_delete", CLASS_PROGRAM, 0, UNTOLD, FRAMING_ALIKE },
	{ 0x22060000u, 0x22060000u, "volume_label_create_delete", CLASS_PROGRAM, 0, UNTOLD, FRAMING_ALIKE },
	{ 0x22070000u, 0x22070000u, "file_copy", CLASS_PROGRAM, 0, UNTOLD, FRAMING_ALIKE },
	{ 0x22080000u, 0x22080000u, "file_name_change", CLASS_PROGRAM, 0, UNTOLD, FRAMING_ALIKE },
	{ 0x22090000u, 0x22090000u, "file_data_check", CLASS_PROGRAM, 0, UNTOLD, FRAMING_ALIKE },
	{ 0x220a0000u, 0x220a0000u, "memory_area_file_transfer", CLASS_READ | CLASS_WRITE | CLASS_PROGRAM, MEMORY,
	  UNTOLD_VALUE, FRAMING_ALIKE },
	{ 0x220b0000u, 0x220b0000u, "parameter_area_file_transfer", CLASS_PROGRAM, 0, UNTOLD, FRAMING_ALIKE },
	{ 0x220c0000u, 0x220c0000u, "program_area_file_transfer", CLASS_PROGRAM, 0, UNTOLD, FRAMING_ALIKE },
	{ 0x220f0000u, 0x220f0000u, "file_memory_index_read", CLASS_PROGRAM, 0, UNTOLD, FRAMING_ALIKE },
	{ 0x22100000u, 0x22100000u, "file_memory_read", CLASS_PROGRAM, 0, UNTOLD, FRAMING_ALIKE },
	{ 0x22110000u, 0x22110000u, "file_memory_write", CLASS_PROGRAM, 0, UNTOLD, FRAMING_ALIKE },
	{ 0x22150000u, 0x22150000u, "directory_create_delete", CLASS_PROGRAM, 0, UNTOLD, FRAMING_ALIKE },
	{ 0x23010000u, 0x23010000u, "forced_set_reset", CLASS_WRITE | CLASS_CONTROL, MEMORY, 0, FRAMING_ALIKE },
	{ 0x23020000u, 0x23020000u, "forced_set_reset_cancel", CLASS_WRITE | CLASS_CONTROL, 0, UNTOLD, FRAMING_ALIKE },
	{ 0x230a0000u, 0x230a0000u, "multiple_forced_status_read", CLASS_READ, MEMORY, 0, FRAMING_ALIKE },
	{ 0x26010000u, 0x26010000u, "name_set", CLASS_PROGRAM, 0, 0, FRAMING_ALIKE },
	{ 0x26020000u, 0x26020000u, "name_delete", CLASS_PROGRAM, 0, 0, FRAMING_ALIKE },
	{ 0x26030000u, 0x26030000u, "name_read", CLASS_DIAGNOSE, 0, 0, FRAMING_ALIKE },
	{ 0x27010000u, 0x27010000u, "udp_open", CLASS_PROGRAM, 0, UNTOLD, FRAMING_ALIKE },
	{ 0x27020000u, 0x27020000u, "udp_receive", CLASS_PROGRAM, 0, UNTOLD, FRAMING_ALIKE },
	{ 0x27030000u, 0x27030000u, "udp_send", CLASS_PROGRAM, 0, UNTOLD, FRAMING_ALIKE },
	{ 0x27040000u, 0x27040000u, "udp_close", CLASS_PROGRAM, 0, UNTOLD, FRAMING_ALIKE },
	{ 0x27100000u, 0x27100000u, "tcp_open_passive", CLASS_PROGRAM, 0, UNTOLD, FRAMING_ALIKE },
	{ 0x27110000u, 0x27110000u, "tcp_open_active", CLASS_PROGRAM, 0, UNTOLD, FRAMING_ALIKE },
	{ 0x27120000u, 0x27120000u, "tcp_receive", CLASS_PROGRAM, 0, UNTOLD, FRAMING_ALIKE },
	{ 0x27130000u, 0x27130000u, "tcp_send", CLASS_PROGRAM, 0, UNTOLD, FRAMING_ALIKE },
	{ 0x27140000u, 0x27140000u, "tcp_close", CLASS_PROGRAM, 0, UNTOLD, FRAMING_ALIKE },
	{ 0x27200000u, 0x27200000u, "ping", CLASS_DIAGNOSE, 0, 0, FRAMING_ALIKE },
	{ 0x27300000u, 0x27300000u, "fins_tcp_remote_node_change", CLASS_PROGRAM, 0, 0, FRAMING_ALIKE },
	{ 0x27310000u, 0x27310000u, "fins_tcp_status_read", CLASS_DIAGNOSE, 0, 0, FRAMING_ALIKE },
	{ 0x27500000u, 0x27500000u, "ip_address_table_write", CLASS_PROGRAM, 0, 0, FRAMING_ALIKE },
	{ 0x27570000u, 0x27570000u, "ip_address_write", CLASS_PROGRAM, 0, 0, FRAMING_ALIKE },
	{ 0x27600000u, 0x27600000u, "ip_address_table_read", CLASS_DIAGNOSE, 0, 0, FRAMING_ALIKE },
	{ 0x27610000u, 0x27610000u, "ip_router_table_read", CLASS_DIAGNOSE, 0, 0, FRAMING_ALIKE },
	{ 0x27620000u, 0x27620000u, "protocol_status_read", CLASS_DIAGNOSE, 0, 0, FRAMING_ALIKE },
	{ 0x27630000u, 0x27630000u, "memory_status_read", CLASS_DIAGNOSE, 0, 0, FRAMING_ALIKE },
	{ 0x27640000u, 0x27640000u, "socket_status_read", CLASS_DIAGNOSE, 0, 0, FRAMING_ALIKE },
	{ 0x27650000u, 0x27650000u, "address_information_read", CLASS_DIAGNOSE, 0, 0, FRAMING_ALIKE },
	{ 0x27670000u, 0x27670000u, "ip_address_read", CLASS_DIAGNOSE, 0, 0, FRAMING_ALIKE },
};

/* The destination of a command, and its sender by the same three numbers. Omron writes units in
 * hexadecimal. */
static const struct target_info targets[] = {
	{ .key = "networks",
	  .max = 127,
	  .one = "network",
	  .ja = "ネットワークアドレス",
	  .usual_known = true,
	  .usual = 0 },
	{ .key = "nodes",
	  .max = 255,
	  .one = "node",
	  .ja = "ノードアドレス",
	  .words = { { 255, "all nodes", "全ノード" } } },
	{ .key = "units",
	  .max = 255,
	  .one = "unit",
	  .ja = "号機アドレス",
	  .usual_known = true,
	  .usual = 0,
	  .hex = true },
	{ .key = "senders",
	  .max = 0x7fffff,
	  .one = "sender",
	  .ja = "送信元",
	  .parts = { { 8, "network" }, { 8, "node" }, { 8, "unit" } } },
};

#define SIZES (1u << 0 | 1u << 4) /* a bit, a word; the area code says which of them is written */
#define BY_BITS(name)                                                                                                  \
	{                                                                                                              \
		.key = (name), .address_max = 0xfffff, .value_sizes = SIZES, .parts = { { 16, "word" }, { 4, "bit" } } \
	}

static const struct space_info spaces[FINS_SPACES] = {
	[FINS_CIO] = BY_BITS("cio"),
	[FINS_W] = BY_BITS("w"),
	[FINS_H] = BY_BITS("h"),
	[FINS_A] = BY_BITS("a"),
	[FINS_G] = BY_BITS("g"),
	[FINS_TIM] = { .key = "tim", .address_max = 65535 },
	[FINS_CNT] = { .key = "cnt", .address_max = 65535 },
	[FINS_TIM_FLAGS] = { .key = "tim_flags", .address_max = 65535, .bits = true },
	[FINS_CNT_FLAGS] = { .key = "cnt_flags", .address_max = 65535, .bits = true },
	[FINS_D] = { .key = "d", .address_max = 65535 },
	[FINS_E] = { .key = "e", .address_max = 0x1fffff, .parts = { { 8, "bank" }, { 16, "word" } } },
	[FINS_E_CURRENT] = { .key = "e_current", .address_max = 65535 },
};

static const struct value_info values[] = { { 0, UINT32_MAX, REACH_VALUES, 0, 0, VALUE_BITS_16 } };

const struct vocabulary vocabulary_fins = {
	.protocol = PROTO_FINS,
	VOCABULARY_LIST(functions, functions),
	VOCABULARY_LIST(values, values),
	VOCABULARY_LIST(targets, targets),
	VOCABULARY_LIST(spaces, spaces),
	.value_max = 65535,
	.code_first = FINS_TCP(0),
	.code_last = UINT32_MAX,
	.code_max = UINT32_MAX,
	.lenient = LENIENT_TRANSACTION | LENIENT_UNIT,
	.codes_hex = true,
	.code_digits = true,
	.code_below = 16,
	.refused = { R_FINS_FUNCTION, R_FINS_TARGET, R_FINS_ADDRESS, R_FINS_VALUE },
};
