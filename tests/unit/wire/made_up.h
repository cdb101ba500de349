/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words of an invented protocol, for what has to work with any protocol: four targets, spaces
 * with one part, with three parts and with hexadecimal numbers, codes of 32 bits. For tests that
 * link vocabulary.c without the product's words; a lookup of Modbus's words then gives these.
 */
#ifndef SEKISHO_TESTS_UNIT_WIRE_MADE_UP_H
#define SEKISHO_TESTS_UNIT_WIRE_MADE_UP_H

#include <stddef.h>

#include "appliance/wire/vocabulary.h"
#include "appliance/wire/vocabulary_numbers.h"

/* MELSEC PLCs have about forty devices: these are more keys than any other object of a policy
 * has. */
#define MADE_UP_MORE 30u
#define MADE_UP_TEN(d)                                                                                                 \
	{ .key = "m" d "0", .address_max = 9 }, { .key = "m" d "1", .address_max = 9 },                                \
		{ .key = "m" d "2", .address_max = 9 }, { .key = "m" d "3", .address_max = 9 },                        \
		{ .key = "m" d "4", .address_max = 9 }, { .key = "m" d "5", .address_max = 9 },                        \
		{ .key = "m" d "6", .address_max = 9 }, { .key = "m" d "7", .address_max = 9 },                        \
		{ .key = "m" d "8", .address_max = 9 },                                                                \
	{                                                                                                              \
		.key = "m" d "9", .address_max = 9                                                                     \
	}

enum made_up_space { MADE_UP_DATA, MADE_UP_RELAYS, MADE_UP_BLOCKS, MADE_UP_OBJECTS, MADE_UP_DEEP };

static const struct function_info made_up_functions[] = {
	{ 0x04010000, 0x0401ffff, "batch_read", CLASS_READ, 0x1f, 0, FRAMING_ALIKE },
	{ 0x10010000, 0x10010000, "remote_run", CLASS_CONTROL, 0, 0, FRAMING_ALIKE },
	{ 0x14010000, 0x1401ffff, "batch_write", CLASS_WRITE, 0x1f, 0, FRAMING_ALIKE },
};

static const struct target_info made_up_targets[] = {
	{ .key = "networks", .max = 255, .one = "network", .ja = "ネットワーク", .usual_known = true },
	{ .key = "stations", .max = 255, .one = "station", .ja = "局番" },
	{ .key = "modules",
	  .max = 0xffff,
	  .one = "module",
	  .ja = "モジュール",
	  .usual_known = true,
	  .usual = 0x3ff,
	  .hex = true },
	{ .key = "slots", .max = 127, .one = "slot", .ja = "スロット", .parts = { { 2, "rack" }, { 5, "slot" } } },
};

static const struct space_info made_up_spaces[] = {
	[MADE_UP_DATA] = { .key = "d", .address_max = 99999 },
	[MADE_UP_RELAYS] = { .key = "x", .address_max = 0x1fff, .bits = true, .hex = true },
	[MADE_UP_BLOCKS] = { .key = "db",
			     .address_max = ((uint64_t)1 << 35) - 1,
			     .parts = { { 16, "block" }, { 16, "byte" }, { 3, "bit" } } },
	[MADE_UP_OBJECTS] = { .key = "objects",
			      .address_max = INT64_MAX,
			      .hex = true,
			      .parts = { { 16, "class" }, { 32, "instance" }, { 15, "attribute" } } },
	[MADE_UP_DEEP] = { .key = "deep",
			   .address_max = INT64_MAX,
			   .parts = { { 3, "a" }, { 20, "b" }, { 20, "c" }, { 20, "d" } } },
	MADE_UP_TEN("0"),
	MADE_UP_TEN("1"),
	MADE_UP_TEN("2"),
};

#define MADE_UP_N(list) (sizeof(list) / sizeof((list)[0]))

static const struct vocabulary made_up = {
	.protocol = PROTO_MODBUS,
	.functions = made_up_functions,
	.n_functions = MADE_UP_N(made_up_functions),
	.targets = made_up_targets,
	.n_targets = MADE_UP_N(made_up_targets),
	.spaces = made_up_spaces,
	.n_spaces = MADE_UP_N(made_up_spaces),
	.value_max = UINT32_MAX,
	.code_first = 1,
	.code_last = UINT32_MAX,
	.code_max = UINT32_MAX,
	.codes_hex = true,
	.refused = { R_MODBUS_FUNCTION, R_MODBUS_UNIT, R_MODBUS_ADDRESS, R_MODBUS_VALUE },
};

const struct vocabulary *vocabulary_of(enum protocol p)
{
	return p == PROTO_MODBUS ? &made_up : NULL;
}

#endif
