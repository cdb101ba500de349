/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/enip/words.h"

#include "appliance/wire/vocabulary.h"

#define R CLASS_READ
#define W CLASS_WRITE
#define C CLASS_CONTROL
#define P CLASS_PROGRAM
#define D CLASS_DIAGNOSE

#define OBJECTS (1u << ENIP_OBJECTS)
#define ANY (1u << ENIP_OBJECTS | 1u << ENIP_TAGS)

#define ONE(code, name, classes, spaces, untold)                                                                       \
	{                                                                                                              \
		code, code, name, classes, spaces, untold, FRAMING_ALIKE                                               \
	}
#define COMMAND(number, name, classes) ONE(ENIP_COMMAND(number), name, classes, 0, 0)
#define PCCC(command, function, name, classes)                                                                         \
	ONE(ENIP_PCCC(command, function), name, classes, OBJECTS, ((classes)&W) != 0 ? UNTOLD_VALUE : 0)

/*
 * The CIP Networks Library volume 1, appendix A and the objects' chapters; volume 2, chapter 2;
 * Rockwell 1756-PM020 (tags) and 1770-6.5.16 (PCCC). Opening a session, or a connection for
 * requests, has no class: every row allows it. Every message and each of its parts state their
 * lengths, so all servers find the same end.
 */
static const struct function_info functions[] = {
	ONE(0x01, "get_attributes_all", R, ANY, 0),
	ONE(0x02, "set_attributes_all", W, ANY, UNTOLD_VALUE),
	ONE(0x03, "get_attribute_list", R, ANY, 0),
	ONE(0x04, "set_attribute_list", W, ANY, UNTOLD_VALUE),
	ONE(0x05, "reset", C, ANY, 0),
	ONE(0x06, "start", C, ANY, 0),
	ONE(0x07, "stop", C, ANY, 0),
	ONE(0x08, "create", P, ANY, 0),
	ONE(0x09, "delete", P, ANY, 0),
	ONE(0x0d, "apply_attributes", W, ANY, UNTOLD_VALUE),
	ONE(0x0e, "get_attribute_single", R, ANY, 0),
	ONE(0x10, "set_attribute_single", W, ANY, 0),
	ONE(0x11, "find_next_object_instance", R, ANY, 0),
	ONE(0x15, "restore", P, ANY, 0),
	ONE(0x16, "save", P, ANY, 0),
	ONE(0x17, "no_operation", D, ANY, 0),
	ONE(0x18, "get_member", R, ANY, 0),
	ONE(0x19, "set_member", W, ANY, UNTOLD_VALUE),
	ONE(0x1a, "insert_member", W, ANY, UNTOLD_VALUE),
	ONE(0x1b, "remove_member", W, ANY, UNTOLD_VALUE),
	ONE(0x1c, "group_sync", C, ANY, 0),
	ONE(ENIP_OF_CLASS(0x06, 0x4e), "forward_close", C, OBJECTS, 0),
	ONE(ENIP_OF_CLASS(0x06, 0x54), "forward_open", 0, OBJECTS, 0),
	ONE(ENIP_OF_CLASS(0x06, 0x56), "get_connection_data", D, OBJECTS, 0),
	ONE(ENIP_OF_CLASS(0x06, 0x57), "search_connection_data", D, OBJECTS, 0),
	ONE(ENIP_OF_CLASS(0x06, 0x5a), "get_connection_owner", D, OBJECTS, 0),
	ONE(ENIP_OF_CLASS(0x06, 0x5b), "large_forward_open", 0, OBJECTS, 0),
	ONE(ENIP_OF_CLASS(0x37, 0x4b), "file_initiate_upload", P, OBJECTS, 0),
	ONE(ENIP_OF_CLASS(0x37, 0x4c), "file_initiate_download", P, OBJECTS, 0),
	ONE(ENIP_OF_CLASS(0x37, 0x4d), "file_initiate_partial_read", P, OBJECTS, 0),
	ONE(ENIP_OF_CLASS(0x37, 0x4e), "file_initiate_partial_write", P, OBJECTS, 0),
	ONE(ENIP_OF_CLASS(0x37, 0x4f), "file_upload_transfer", P, OBJECTS, 0),
	ONE(ENIP_OF_CLASS(0x37, 0x50), "file_download_transfer", P, OBJECTS, 0),
	ONE(ENIP_OF_CLASS(0x37, 0x51), "file_clear", P, OBJECTS, 0),
	ONE(ENIP_OF_CLASS(0x6b, 0x4c), "read_tag", R, ANY, 0),
	ONE(ENIP_OF_CLASS(0x6b, 0x4d), "write_tag", W, ANY, 0),
	ONE(ENIP_OF_CLASS(0x6b, 0x4e), "read_modify_write_tag", W, ANY, UNTOLD_VALUE),
	ONE(ENIP_OF_CLASS(0x6b, 0x52), "read_tag_fragmented", R, ANY, 0),
	ONE(ENIP_OF_CLASS(0x6b, 0x53), "write_tag_fragmented", W, ANY, 0),
	ONE(ENIP_OF_CLASS(0x6b, 0x55), "get_instance_attribute_list", R, ANY, 0),
	ONE(ENIP_OF_CLASS(0x6c, 0x4c), "read_template", R, OBJECTS, 0),
	ONE(ENIP_OF_CLASS(0xf6, 0x4c), "get_and_clear_counters", D | C, OBJECTS, 0),
	COMMAND(0x00, "nop", 0),
	COMMAND(0x01, "list_address", D),
	COMMAND(0x04, "list_services", D),
	COMMAND(0x63, "list_identity", D),
	COMMAND(0x64, "list_interfaces", D),
	COMMAND(0x65, "register_session", 0),
	COMMAND(0x66, "unregister_session", 0),
	COMMAND(0x72, "indicate_status", D),
	COMMAND(0x73, "cancel", D),
	PCCC(0x00, 0, "pccc_protected_write", W),
	PCCC(0x01, 0, "pccc_unprotected_read", R),
	PCCC(0x02, 0, "pccc_protected_bit_write", W),
	PCCC(0x05, 0, "pccc_unprotected_bit_write", W),
	PCCC(0x06, 0x00, "pccc_echo", D),
	PCCC(0x06, 0x01, "pccc_read_diagnostic_counters", D),
	PCCC(0x06, 0x02, "pccc_set_variables", C),
	PCCC(0x06, 0x03, "pccc_diagnostic_status", D),
	PCCC(0x06, 0x04, "pccc_set_timeout", C),
	PCCC(0x06, 0x05, "pccc_set_naks", C),
	PCCC(0x06, 0x06, "pccc_set_enqs", C),
	PCCC(0x06, 0x07, "pccc_reset_diagnostic_counters", D | C),
	PCCC(0x06, 0x08, "pccc_set_data_table_size", P),
	PCCC(0x06, 0x09, "pccc_read_link_parameters", D),
	PCCC(0x06, 0x0a, "pccc_set_link_parameters", C),
	PCCC(0x07, 0x00, "pccc_disable_outputs", C),
	PCCC(0x07, 0x01, "pccc_enable_outputs", C),
	PCCC(0x07, 0x03, "pccc_enable_scanning", C),
	PCCC(0x07, 0x04, "pccc_enter_download_mode", P),
	PCCC(0x07, 0x05, "pccc_exit_transfer_mode", P),
	PCCC(0x07, 0x06, "pccc_enter_upload_mode", P),
	PCCC(0x08, 0, "pccc_unprotected_write", W),
	PCCC(0x0f, 0x00, "pccc_word_range_write", W),
	PCCC(0x0f, 0x01, "pccc_word_range_read", R),
	PCCC(0x0f, 0x02, "pccc_bit_write", W),
	PCCC(0x0f, 0x03, "pccc_file_write", W),
	PCCC(0x0f, 0x04, "pccc_file_read", R),
	PCCC(0x0f, 0x05, "pccc_download_request", P),
	PCCC(0x0f, 0x06, "pccc_upload", P),
	PCCC(0x0f, 0x07, "pccc_shutdown", C),
	PCCC(0x0f, 0x08, "pccc_physical_write", P | W),
	PCCC(0x0f, 0x09, "pccc_physical_read", P),
	PCCC(0x0f, 0x0a, "pccc_restart_request", C),
	PCCC(0x0f, 0x11, "pccc_get_edit_resource", P),
	PCCC(0x0f, 0x12, "pccc_return_edit_resource", P),
	PCCC(0x0f, 0x17, "pccc_read_bytes_physical", P),
	PCCC(0x0f, 0x18, "pccc_write_bytes_physical", P | W),
	PCCC(0x0f, 0x26, "pccc_read_modify_write", W),
	PCCC(0x0f, 0x29, "pccc_read_section_size", R),
	PCCC(0x0f, 0x3a, "pccc_set_cpu_mode", C),
	PCCC(0x0f, 0x41, "pccc_disable_forces", C),
	PCCC(0x0f, 0x50, "pccc_download_all_request", P),
	PCCC(0x0f, 0x52, "pccc_download_completed", P),
	PCCC(0x0f, 0x53, "pccc_upload_all_request", P),
	PCCC(0x0f, 0x55, "pccc_upload_completed", P),
	PCCC(0x0f, 0x57, "pccc_initialize_memory", P),
	PCCC(0x0f, 0x5e, "pccc_modify_compatibility_file", P),
	PCCC(0x0f, 0x67, "pccc_typed_write", W),
	PCCC(0x0f, 0x68, "pccc_typed_read", R),
	PCCC(0x0f, 0x79, "pccc_read_modify_write_n", W),
	PCCC(0x0f, 0x80, "pccc_change_mode", C),
	PCCC(0x0f, 0x81, "pccc_open_file", P),
	PCCC(0x0f, 0x82, "pccc_close_file", P),
	PCCC(0x0f, 0x8f, "pccc_apply_port_configuration", C),
	PCCC(0x0f, 0xa1, "pccc_protected_typed_logical_read_2", R),
	PCCC(0x0f, 0xa2, "pccc_protected_typed_logical_read_3", R),
	PCCC(0x0f, 0xa7, "pccc_protected_typed_file_read", R | P),
	PCCC(0x0f, 0xa9, "pccc_protected_typed_logical_write_2", W),
	PCCC(0x0f, 0xaa, "pccc_protected_typed_logical_write_3", W),
	PCCC(0x0f, 0xab, "pccc_protected_typed_logical_masked_write", W),
	PCCC(0x0f, 0xaf, "pccc_protected_typed_file_write", W | P),
	ONE(ENIP_OPEN_OUTPUT, "open_output_connection", W | C, OBJECTS, UNTOLD_VALUE),
	ONE(ENIP_OPEN_INPUT, "open_input_connection", R, OBJECTS, 0),
};

static const struct target_info targets[] = {
	{ .key = "routes",
	  .max = 0xffff,
	  .one = "route",
	  .ja = "経路",
	  .usual_known = true,
	  .usual = 0,
	  .parts = { { 8, "port" }, { 8, "link" } },
	  .words = { { ENIP_ROUTE_UNKNOWN, "not known", "不明" }, { ENIP_ROUTE_FAR, "of several hops", "2 段以上" } } },
};

static const struct space_info spaces[] = {
	[ENIP_OBJECTS] = { .key = "objects",
			   .address_max = INT64_MAX,
			   .parts = { { ENIP_CLASS_BITS, "class" },
				      { ENIP_INSTANCE_BITS, "instance" },
				      { ENIP_ATTRIBUTE_BITS, "attribute" } } },
	[ENIP_TAGS] = { .key = "tags", .address_max = INT64_MAX, .named = true },
};

/* commands of the encapsulation are for the device itself */
static const struct reach_info reaches[] = { { ENIP_COMMAND(0), ENIP_COMMAND(0xffffu), 0, false, 1, 0 } };

static const struct value_info values[] = { { 0, UINT32_MAX, REACH_VALUES, 0, 0, VALUE_BY_TYPE } };

const struct vocabulary vocabulary_enip = {
	.protocol = PROTO_ENIP,
	VOCABULARY_LIST(functions, functions),
	VOCABULARY_LIST(values, values),
	VOCABULARY_LIST(reaches, reaches),
	VOCABULARY_LIST(targets, targets),
	VOCABULARY_LIST(spaces, spaces),
	.value_max = UINT32_MAX,
	.code_first = 1,
	.code_last = ENIP_LAST,
	.code_max = ENIP_LAST,
	.lenient = LENIENT_LISTING,
	.codes_hex = true,
	.refused = { R_ENIP_FUNCTION, R_ENIP_ROUTE, R_ENIP_ADDRESS, R_ENIP_VALUE },
};
