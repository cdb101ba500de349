/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an attack needs to know about each enforced protocol: how a session begins, a request that
 * its policy allows, requests of the same length that the policy forbids, the answer to the allowed
 * one, and where lengths are. In hexadecimal, as the test peers write them. Owns nothing.
 */
#ifndef SEKISHO_TESTS_UNIT_SPEECHES_H
#define SEKISHO_TESTS_UNIT_SPEECHES_H

#include "appliance/wire/tag.h"
#include "dpi/enip/enip.h"
#include "dpi/enip/words.h"
#include "dpi/fins/fins.h"
#include "dpi/fins/words.h"
#include "dpi/modbus/modbus.h"
#include "dpi/modbus/words.h"
#include "dpi/s7comm/s7comm.h"
#include "dpi/s7comm/words.h"
#include "dpi/slmp/slmp.h"
#include "dpi/slmp/words.h"

#define DESK_ENFORCER (*desk_enforcer)
#define desk_clear desk_clear_policy /* both desks have one */
#include "tests/unit/dpi/desk.h"
#undef desk_clear

#define WRITES 2u

/* Length fields of 1 or 2 bytes, or of 4 hexadecimal digits. */
struct length {
	uint8_t at, size;
	bool little;
};

struct speech {
	const char *name;
	const struct enforcer *enforcer;
	uint16_t port;
	const char *greeting[2][2]; /* the client's first messages, and the server's answers */
	const char *read, *answer;
	/* forbidden: a request with another function, and one to another address */
	const char *writes[WRITES];
	struct length lengths[4];
	uint8_t together; /* so many of the first bytes of a request must come in one segment */
	void (*policy)(struct desk *d, struct command_row *row);
};

/* Holding registers 0 to 99 may be read. */
static void modbus_policy(struct desk *d, struct command_row *row)
{
	row->services = desk_range(d, 3, 3);
	desk_space(d, row, MODBUS_HOLDING, desk_range(d, 0, 99));
}

/* D0 to D99 may be read. */
static void slmp_policy(struct desk *d, struct command_row *row)
{
	row->services = desk_range(d, 0x04010000, 0x0403ffff);
	desk_space(d, row, SLMP_D, desk_range(d, 0, 99));
}

/* One tag may be read. */
static void enip_policy(struct desk *d, struct command_row *row)
{
	uint64_t tag;

	if (!tag_read("LampABCDEF", 10, &tag))
		abort();
	row->services = desk_range(d, ENIP_OF_CLASS(0x6b, 0x4c), ENIP_OF_CLASS(0x6b, 0x4c));
	desk_space(d, row, ENIP_TAGS, desk_range(d, tag, tag));
}

/* Bytes 0 to 99 of DB10 may be read. */
static void s7comm_policy(struct desk *d, struct command_row *row)
{
	uint64_t block = (uint64_t)10 << S7_AREA_BITS;

	row->services = desk_range(d, S7_FUNCTION(S7_READ), S7_FUNCTION(S7_READ));
	desk_space(d, row, S7_DB, desk_range(d, block, block + 100u * 8u - 1u));
}

/* D0 to D99 may be read. */
static void fins_policy(struct desk *d, struct command_row *row)
{
	row->services = desk_ranges(d, (uint32_t[]){ 0x01010000, 0x01010000, 0x01040000, 0x01040000 }, 2);
	desk_space(d, row, FINS_D, desk_range(d, 0, 99));
}

#define S7_CONNECTION "c0010ac1020100c2020102"

static const struct speech speeches[] = {
	{ .name = "Modbus",
	  .enforcer = &modbus_enforcer,
	  .port = 502,
	  .read = "0000 0000 0006 01 03 0000 0004",
	  .answer = "0000 0000 000b 01 03 08 0000000000000000",
	  .writes = { "0000 0000 0006 01 06 0001 0007", "0000 0000 0006 01 03 0100 0004" },
	  .lengths = { { 4, 2, false } },
	  .policy = modbus_policy },
	{ .name = "SLMP, 3E binary",
	  .enforcer = &slmp_enforcer,
	  .port = 5007,
	  .read = "5000 00ff ff03 00 1000 0100 0304 0000 02 00 000000a8 630000a8",
	  .answer = "d000 00ff ff03 00 0600 0000 0700 0700",
	  .writes = { "5000 00ff ff03 00 1000 0100 0114 0000 310000a8 0200 0100 0700",
		      "5000 00ff ff03 00 1000 0100 0304 0000 02 00 000000a8 640000a8" },
	  .lengths = { { 7, 2, true } },
	  .policy = slmp_policy },
	{ .name = "SLMP, 4E ASCII",
	  .enforcer = &slmp_enforcer,
	  .port = 5007,
	  .read = "35343030303030313030303030304646303346463030303032303030313030343033303030303032"
		  "3030442a303030303030442a303030303939",
	  .answer = "4434303030303031303030303030464630334646303030303043303030303030303730303037",
	  .writes = { "35343030303030313030303030304646303346463030303032303030313031343031303030"
		      "30442a303030303439303030323030303130303037",
		      "35343030303030313030303030304646303346463030303032303030313030343033303030303032"
		      "3030442a303030303030442a303031303939" },
	  .lengths = { { 22, 4, false } },
	  .policy = slmp_policy },
	{ .name = "EtherNet/IP",
	  .enforcer = &enip_enforcer,
	  .port = 44818,
	  .greeting = { { "6500 0400 00000000 00000000 0000000000000000 00000000 0100 0000",
			  "6500 0400 c15e0000 00000000 0000000000000000 00000000 0100 0000" } },
	  .read = "6f00 2000 c15e0000 00000000 0100000000000000 00000000 00000000 0000 0200 0000 0000 b200 1000"
		  "4c 06 910a 4c616d70414243444546 0100",
	  .answer = "6f00 1a00 c15e0000 00000000 0100000000000000 00000000 00000000 0000 0200 0000 0000 b200 0a00"
		    "cc000000 c400 07000000",
	  .writes = { "6f00 2000 c15e0000 00000000 0100000000000000 00000000 00000000 0000 0200 0000 0000 b200 1000"
		      "4d 03 9104 4c616d70 c400 0100 07000000",
		      "6f00 2000 c15e0000 00000000 0100000000000000 00000000 00000000 0000 0200 0000 0000 b200 1000"
		      "4c 06 910a 4c616d70414243444547 0100" },
	  .lengths = { { 2, 2, true }, { 32, 2, true }, { 38, 2, true }, { 41, 1, true } },
	  .together = 4,
	  .policy = enip_policy },
	{ .name = "S7comm",
	  .enforcer = &s7comm_enforcer,
	  .port = 102,
	  .greeting = { { "03000016 11e0 0000 0001 00" S7_CONNECTION, "03000016 11d0 0001 0100 00" S7_CONNECTION },
			{ "03000019 02f080 3201 0000 0001 0008 0000 f000 0001 0001 01e0",
			  "0300001b 02f080 3203 0000 0001 0008 0000 0000 f000 0001 0001 00f0" } },
	  .read = "0300002b 02f080 3201 0000 0002 001a 0000 0402 120a1002 0001 000a 84 000000 120a1002 0001 000a 84 "
		  "000008",
	  .answer = "03000020 02f080 3203 0000 0002 0002 000b 0000 0402 ff040008 0700 ff040008 07",
	  .writes = { "0300002b 02f080 3201 0000 0002 000e 000c 0501 120a1002 0008 000a 84 000140 00040040 "
		      "0000000000000000",
		      "0300002b 02f080 3201 0000 0002 001a 0000 0402 120a1002 0001 000a 84 000000 120a1002 0001 000b "
		      "84 000008" },
	  .lengths = { { 2, 2, false }, { 4, 1, false }, { 13, 2, false }, { 15, 2, false } },
	  .policy = s7comm_policy },
	{ .name = "FINS",
	  .enforcer = &fins_enforcer,
	  .port = 9600,
	  .greeting = { { "46494e530000000c000000000000000000000000",
			  "46494e53000000100000000100000000000000190000000a" } },
	  .read = "46494e530000001c0000000200000000800002000a000019000101048200000082006300",
	  .answer = "46494e530000001c0000000200000000c00002001900000a000101040000820007820007",
	  .writes = { "46494e530000001c0000000200000000800002000a000019000101028200310000010007",
		      "46494e530000001c0000000200000000800002000a000019000101048200000082006400" },
	  .lengths = { { 6, 2, false } },
	  .policy = fins_policy },
};

#define SPEECHES (sizeof(speeches) / sizeof(speeches[0]))

#endif
