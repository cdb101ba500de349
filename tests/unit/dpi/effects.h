/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests whose effect does not show in their name or header: the effect is inside something, is
 * passed on to another device, or is one of many items. Each request has a policy, and whether this
 * policy allows it. The allowed ones show that the wrapping itself is not refused. Owns nothing.
 */
#ifndef SEKISHO_TESTS_UNIT_EFFECTS_H
#define SEKISHO_TESTS_UNIT_EFFECTS_H

#include "tests/unit/dpi/speeches.h"

enum effect_speech { MODBUS, SLMP, SLMP_TEXT, ENIP, S7COMM, FINS, ENIP_CONNECTED };

/* The codes of all functions whose classes are among these. */
static struct number_set functions_of(struct desk *d, const struct vocabulary *v, unsigned classes)
{
	struct number_set s = { .first = d->table.n_ranges };

	for (unsigned i = 0; i < v->n_functions; i++)
		if (v->functions[i].classes != 0 && (v->functions[i].classes & ~classes) == 0)
			s.n += desk_range(d, v->functions[i].code, v->functions[i].last).n;
	return s;
}

/* Everything of unit 1 may be read. */
static void modbus_reads(struct desk *d, struct command_row *row)
{
	row->services = functions_of(d, &vocabulary_modbus, CLASS_READ);
	row->targets[0] = desk_range(d, 1, 1);
}

/* Holding registers 0 to 99 of any unit may be read, and 0 or 1 be written to them. */
static void modbus_writes(struct desk *d, struct command_row *row)
{
	row->services = functions_of(d, &vocabulary_modbus, CLASS_READ | CLASS_WRITE);
	row->values = desk_range(d, 0, 1);
	desk_space(d, row, MODBUS_HOLDING, desk_range(d, 0, 99));
}

static void modbus_units(struct desk *d, struct command_row *row)
{
	modbus_writes(d, row);
	row->targets[0] = desk_range(d, 0, 255);
}

/* Everything may be read, but only from the station itself. */
static void slmp_reads(struct desk *d, struct command_row *row)
{
	static const uint32_t own[TARGET_MAX] = { 0, 0xff, 0x3ff, 0 };

	row->services = functions_of(d, &vocabulary_slmp, CLASS_READ);
	for (unsigned i = 0; i < TARGET_MAX; i++)
		row->targets[i] = desk_range(d, own[i], own[i]);
}

static void slmp_reads_anywhere(struct desk *d, struct command_row *row)
{
	row->services = functions_of(d, &vocabulary_slmp, CLASS_READ);
}

/* D0 to D99 may be read, in any way. */
static void slmp_blocks(struct desk *d, struct command_row *row)
{
	slmp_policy(d, row);
	row->services = functions_of(d, &vocabulary_slmp, CLASS_READ);
}

/* Everything may be read, but only from the device itself. */
static void enip_reads(struct desk *d, struct command_row *row)
{
	row->services = functions_of(d, &vocabulary_enip, CLASS_READ);
	row->targets[0] = desk_range(d, 0, 0);
}

static void enip_reads_anywhere(struct desk *d, struct command_row *row)
{
	row->services = functions_of(d, &vocabulary_enip, CLASS_READ);
}

static void s7comm_reads(struct desk *d, struct command_row *row)
{
	row->services = functions_of(d, &vocabulary_s7comm, CLASS_READ);
}

/* The first word of DB10 may be read, and 0 or 1 be written to it. */
static void s7comm_writes(struct desk *d, struct command_row *row)
{
	uint64_t block = (uint64_t)10 << S7_AREA_BITS;

	row->services = functions_of(d, &vocabulary_s7comm, CLASS_READ | CLASS_WRITE);
	row->values = desk_range(d, 0, 1);
	desk_space(d, row, S7_DB, desk_range(d, block, block + 15));
}

/* Everything may be read, but only from the controller itself. */
static void fins_reads(struct desk *d, struct command_row *row)
{
	static const uint32_t own[3] = { 0, 10, 0 };

	row->services = functions_of(d, &vocabulary_fins, CLASS_READ);
	for (unsigned i = 0; i < 3; i++)
		row->targets[i] = desk_range(d, own[i], own[i]);
}

static void fins_reads_anywhere(struct desk *d, struct command_row *row)
{
	row->services = functions_of(d, &vocabulary_fins, CLASS_READ);
}

/* D0 to D99 may be read, and 0 or 1 be written to them, in any way. */
static void fins_writes(struct desk *d, struct command_row *row)
{
	row->services = functions_of(d, &vocabulary_fins, CLASS_READ | CLASS_WRITE);
	row->values = desk_range(d, 0, 1);
	desk_space(d, row, FINS_D, desk_range(d, 0, 99));
}

/* The first bits of W may be forced. */
static void fins_forces(struct desk *d, struct command_row *row)
{
	row->services = functions_of(d, &vocabulary_fins, CLASS_WRITE | CLASS_CONTROL);
	desk_space(d, row, FINS_W, desk_range(d, 0, 3));
}

/* Opens a connection for requests to the controller's message router; UNIT messages go over it. */
static const char *const enip_connects[2] = {
	"6f003e00c15e000000000000010000000000000000000000000000000000020000000000b2002e0054022006240107f900000000"
	"0302000003004d004d00000000000000401f0000f443401f0000f443a30220022401",
	"6f002e00c15e000000000000010000000000000000000000000000000000020000000000b2001e00d4000000030100000302000003004d"
	"004d000000401f0000401f00000000"
};

/* A single request is `said`. A list is `said`, the head, then so many items `good`, of which one
 * is replaced by `bad`, then `tail`. */
struct effect {
	enum effect_speech speech;
	void (*policy)(struct desk *d, struct command_row *row);
	bool allowed;
	const char *what, *said, *good, *bad, *tail;
	unsigned n;
};

#define ALONE(speech, policy, allowed, what, said)                                                                     \
	{                                                                                                              \
		speech, policy, allowed, what, said, "", "", "", 0                                                     \
	}
#define MANY(speech, policy, what, head, good, bad, tail, n)                                                           \
	{                                                                                                              \
		speech, policy, false, what, head, good, bad, tail, n                                                  \
	}

static const struct effect effects[] = {
	ALONE(MODBUS, modbus_reads, true, "read_coils", "000000000006010100000004"),
	ALONE(MODBUS, modbus_reads, true, "read_input_registers", "000000000006010400000004"),
	ALONE(MODBUS, modbus_reads, false, "write_single_coil", "00000000000601050001ff00"),
	ALONE(MODBUS, modbus_reads, false, "write_single_register", "000000000006010600010007"),
	ALONE(MODBUS, modbus_reads, false, "write_multiple_coils", "000000000008010f000100040105"),
	ALONE(MODBUS, modbus_reads, false, "write_multiple_registers", "00000000000d01100000000306000100010001"),
	ALONE(MODBUS, modbus_reads, false, "mask_write_register", "0000000000080116000100ff0007"),
	ALONE(MODBUS, modbus_reads, false, "reads and writes", "00000000000d01170000000200010001020007"),
	ALONE(MODBUS, modbus_reads, false, "writes a file", "00000000000c011509060004000100010007"),
	ALONE(MODBUS, modbus_reads, false, "encapsulated, 14", "000000000005012b0e0100"),
	ALONE(MODBUS, modbus_reads, false, "encapsulated, 13: CANopen", "000000000010012b0d00000000002300200000000001"),
	ALONE(MODBUS, modbus_reads, false, "90: UMAS", "00000000000d015a0023010000000002000700"),
	ALONE(MODBUS, modbus_reads, false, "diagnostics, 1: restarts", "000000000006010800010000"),
	ALONE(MODBUS, modbus_reads, false, "diagnostics, 4: listens only", "000000000006010800040000"),
	ALONE(MODBUS, modbus_reads, false, "report_server_id", "0000000000020111"),
	ALONE(MODBUS, modbus_reads, false, "100, the user's own", "000000000006016400010007"),
	ALONE(MODBUS, modbus_reads, false, "writes to another unit", "000000000006020600010007"),
	ALONE(MODBUS, modbus_reads, false, "reads another unit", "000000000006020300000004"),
	ALONE(MODBUS, modbus_reads, false, "reads unit 0", "000000000006000300000004"),
	ALONE(MODBUS, modbus_reads, false, "writes to unit 0", "000000000006000600010007"),
	ALONE(MODBUS, modbus_reads, false, "writes to unit 255", "00000000000dff100000000306000100010001"),
	ALONE(MODBUS, modbus_writes, true, "writes to any unit", "000000000006070600010001"),
	ALONE(MODBUS, modbus_writes, false, "writes to all units", "000000000006000600010001"),
	ALONE(MODBUS, modbus_writes, false, "writes to all units, several", "00000000000d00100000000306000100010001"),
	ALONE(MODBUS, modbus_writes, true, "reads and writes in range", "00000000000d01170000000200010001020001"),
	ALONE(MODBUS, modbus_writes, false, "reads out of range", "00000000000d01170063000200010001020001"),
	ALONE(MODBUS, modbus_writes, false, "writes out of range", "00000000000d01170000000200640001020001"),
	ALONE(MODBUS, modbus_writes, false, "writes another value", "00000000000d01170000000200010001020002"),
	ALONE(MODBUS, modbus_writes, false, "mask: what the value is then", "00000000000801160001ffff0000"),
	ALONE(MODBUS, modbus_writes, false, "a range that wraps", "00000000000b0110ffff00020400010001"),
	MANY(MODBUS, modbus_writes, "one value of eight", "00000000001701100000000810", "0001", "0002", "", 8),
	ALONE(MODBUS, modbus_units, true, "writes to all units, which are named", "000000000006000600010001"),
	ALONE(SLMP, slmp_reads, true, "reads bits", "500000ffff03000c00100001040100000000900400"),
	ALONE(SLMP, slmp_reads, true, "reads blocks", "500000ffff03000e001000060400000100000000a80400"),
	ALONE(SLMP, slmp_reads, false, "writes", "500000ffff03000e00100001140000000000a801000700"),
	ALONE(SLMP, slmp_reads, false, "writes bits", "500000ffff03000d0010000114010000000090020010"),
	ALONE(SLMP, slmp_reads, false, "writes here and there", "500000ffff03000e001000021400000100000000a80700"),
	ALONE(SLMP, slmp_reads, false, "writes blocks", "500000ffff030010001000061400000100000000a801000700"),
	ALONE(SLMP, slmp_reads, false, "writes extended", "500000ffff03000f00100001148000000000000000000000"),
	ALONE(SLMP, slmp_reads, false, "writes labels", "500000ffff0300080010001b1400000100"),
	ALONE(SLMP, slmp_reads, false, "writes a buffer", "500000ffff03000e001000131600000000000001000700"),
	ALONE(SLMP, slmp_reads, false, "writes a module's buffer",
	      "500000ffff0300100010000116000000000000020000000700"),
	ALONE(SLMP, slmp_reads, false, "runs", "500000ffff03000a0010000110000001000000"),
	ALONE(SLMP, slmp_reads, false, "stops", "500000ffff030008001000021000000100"),
	ALONE(SLMP, slmp_reads, false, "resets", "500000ffff030008001000061000000100"),
	ALONE(SLMP, slmp_reads, false, "clears latches", "500000ffff030008001000051000000100"),
	ALONE(SLMP, slmp_reads, false, "unlocks", "500000ffff03000c00100030160000040031323334"),
	ALONE(SLMP, slmp_reads, false, "a file", "500000ffff0300100010002918000000000000000002000700"),
	ALONE(SLMP, slmp_reads, false, "reads another network", "50000203ff03000c00100001040000000000a80100"),
	ALONE(SLMP, slmp_reads, false, "reads another station", "50000001ff03000c00100001040000000000a80100"),
	ALONE(SLMP, slmp_reads, false, "reads another processor", "500000ffe003000c00100001040000000000a80100"),
	ALONE(SLMP, slmp_reads, false, "reads behind a multidrop", "500000ffff03010c00100001040000000000a80100"),
	ALONE(SLMP, slmp_reads, false, "writes to another network", "50000203ff03000e00100001140000000000a801000700"),
	ALONE(SLMP, slmp_reads, false, "stops another processor", "500000ffe0030008001000021000000100"),
	ALONE(SLMP, slmp_reads_anywhere, true, "reads another network", "50000203ff03000c00100001040000000000a80100"),
	ALONE(SLMP, slmp_reads_anywhere, false, "writes to another network, where any may be read",
	      "50000203ff03000e00100001140000000000a801000700"),
	ALONE(SLMP, slmp_reads_anywhere, false, "writes behind a multidrop, where any may be read",
	      "500000ffff03010e00100001140000000000a801000700"),
	ALONE(SLMP, slmp_reads_anywhere, false, "stops another processor, where any may be read",
	      "500000ffe0030008001000021000000100"),
	MANY(SLMP, slmp_policy, "one device of six", "500000ffff030020001000030400000600", "000000a8", "640000a8", "",
	     6),
	MANY(SLMP, slmp_blocks, "one block of four", "500000ffff030020001000060400000400", "000000a80100",
	     "630000a80200", "", 4),
	ALONE(SLMP_TEXT, slmp_reads, true, "reads bits",
	      "35343030303030313030303030304646303346463030303031383030313030343031303030314d2a30303030303030303034"),
	ALONE(SLMP_TEXT, slmp_reads, false, "writes",
	      "3534303030303031303030303030464630334646303030303143303031303134303130303030442a303030303030303030313030"
	      "3037"),
	ALONE(SLMP_TEXT, slmp_reads, false, "writes here and there",
	      "353430303030303130303030303046463033464630303030314330303130313430323030303030313030442a3030303030303030"
	      "3037"),
	ALONE(SLMP_TEXT, slmp_reads, false, "runs",
	      "35343030303030313030303030304646303346463030303031343030313031303031303030303030303130303030"),
	ALONE(SLMP_TEXT, slmp_reads, false, "stops",
	      "353430303030303130303030303046463033464630303030313030303130313030323030303030303031"),
	ALONE(SLMP_TEXT, slmp_reads, false, "reads another network",
	      "3534303030303031303030303032303330334646303030303138303031303034303130303030442a30303030303030303031"),
	ALONE(SLMP_TEXT, slmp_reads, false, "reads another station",
	      "3534303030303031303030303030303130334646303030303138303031303034303130303030442a30303030303030303031"),
	ALONE(SLMP_TEXT, slmp_reads, false, "writes to another network",
	      "3534303030303031303030303032303330334646303030303143303031303134303130303030442a303030303030303030313030"
	      "3037"),
	ALONE(SLMP_TEXT, slmp_reads_anywhere, true, "reads another network",
	      "3534303030303031303030303032303330334646303030303138303031303034303130303030442a30303030303030303031"),
	ALONE(SLMP_TEXT, slmp_reads_anywhere, false, "writes to another network, where any may be read",
	      "3534303030303031303030303032303330334646303030303143303031303134303130303030442a303030303030303030313030"
	      "3037"),
	ALONE(SLMP_TEXT, slmp_reads_anywhere, false, "writes behind a multidrop, where any may be read",
	      "3534303030303031303030303030464630334646303130303143303031303134303130303030442a303030303030303030313030"
	      "3037"),
	ALONE(SLMP_TEXT, slmp_reads_anywhere, false, "stops another processor, where any may be read",
	      "353430303030303130303030303046463033453030303030313030303130313030323030303030303031"),
	MANY(SLMP_TEXT, slmp_policy, "one device of six",
	     "353430303030303130303030303046463033464630303030343030303130303430333030303030363030", "442a303030303030",
	     "442a303030313030", "", 6),
	MANY(SLMP_TEXT, slmp_blocks, "one block of four",
	     "353430303030303130303030303046463033464630303030343030303130303430363030303030343030",
	     "442a30303030303030303031", "442a30303030393930303032", "", 4),
	ALONE(ENIP, enip_reads, true, "reads attributes",
	      "6f001600c15e000000000000010000000000000000000000000000000000020000000000b2000600010220012401"),
	ALONE(ENIP, enip_reads, true, "reads by PCCC",
	      "6f002700c15e000000000000010000000000000000000000000000000000020000000000b20017004b0220672401074d00010203"
	      "040f000100a20207890000"),
	ALONE(ENIP, enip_reads, true, "reads twice at once",
	      "6f003c00c15e000000000000010000000000000000000000000000000000020000000000b2002c000a0220022401020006001600"
	      "4c06910a4c616d7041424344454601004c06910a4c616d704142434445460100"),
	ALONE(ENIP, enip_reads, false, "writes",
	      "6f002000c15e000000000000010000000000000000000000000000000000020000000000b20010004d0391044c616d70c4000100"
	      "07000000"),
	ALONE(ENIP, enip_reads, false, "sets an attribute",
	      "6f001a00c15e000000000000010000000000000000000000000000000000020000000000b2000a0010032004240130030700"),
	ALONE(ENIP, enip_reads, false, "writes a symbol by its number",
	      "6f001e00c15e000000000000010000000000000000000000000000000000020000000000b2000e004d02206b2403c40001000700"
	      "0000"),
	ALONE(ENIP, enip_reads, false, "changes bits",
	      "6f002200c15e000000000000010000000000000000000000000000000000020000000000b20012004e0391044c616d7004000100"
	      "0000ffffffff"),
	ALONE(ENIP, enip_reads, false, "resets",
	      "6f001700c15e000000000000010000000000000000000000000000000000020000000000b200070005022001240100"),
	ALONE(ENIP, enip_reads, false, "writes by PCCC",
	      "6f002900c15e000000000000010000000000000000000000000000000000020000000000b20019004b0220672401074d00010203"
	      "040f000100aa02078900000700"),
	ALONE(ENIP, enip_reads, false, "changes the mode by PCCC",
	      "6f002300c15e000000000000010000000000000000000000000000000000020000000000b20013004b0220672401074d00010203"
	      "040f0001008006"),
	ALONE(ENIP, enip_reads, false, "downloads a file",
	      "6f001e00c15e000000000000010000000000000000000000000000000000020000000000b2000e004c0220372401000000000000"
	      "0000"),
	ALONE(ENIP, enip_reads, false, "creates",
	      "6f001400c15e000000000000010000000000000000000000000000000000020000000000b20004000801206b"),
	ALONE(ENIP, enip_reads, false, "reads slot 0 through the backplane",
	      "6f002e00c15e000000000000010000000000000000000000000000000000020000000000b2001e00520220062401059d10004c06"
	      "910a4c616d70414243444546010001000100"),
	ALONE(ENIP, enip_reads, false, "opens outputs",
	      "6f004200c15e000000000000010000000000000000000000000000000000020000000000b200320054022006240107f900000000"
	      "4d00000005004d004d00000000000000204e00000440204e000004400104200424972c962c64"),
	ALONE(ENIP, enip_reads, false, "opens a way to slot 1",
	      "6f004000c15e000000000000010000000000000000000000000000000000020000000000b200300054022006240107f900000000"
	      "0302000003004d004d00000000000000401f0000f443401f0000f443a303010120022401"),
	ALONE(ENIP, enip_reads, false, "over a connection that nobody opened",
	      "70002600c15e0000000000000000000000000000000000000000000000000200a100040003010000b100120001004c06910a4c61"
	      "6d704142434445460100"),
	ALONE(ENIP, enip_reads_anywhere, true, "reads slot 1",
	      "6f002e00c15e000000000000010000000000000000000000000000000000020000000000b2001e00520220062401059d10004c06"
	      "910a4c616d70414243444546010001000101"),
	ALONE(ENIP, enip_reads_anywhere, false, "writes to slot 0",
	      "6f002e00c15e000000000000010000000000000000000000000000000000020000000000b2001e00520220062401059d10004d03"
	      "91044c616d70c40001000700000001000100"),
	ALONE(ENIP, enip_reads_anywhere, false, "writes to slot 1",
	      "6f002e00c15e000000000000010000000000000000000000000000000000020000000000b2001e00520220062401059d10004d03"
	      "91044c616d70c40001000700000001000101"),
	ALONE(ENIP, enip_reads_anywhere, false, "writes by PCCC behind a bridge",
	      "6f003800c15e000000000000010000000000000000000000000000000000020000000000b2002800520220062401059d19004b02"
	      "20672401074d00010203040f000100aa020789000007000001000205"),
	ALONE(ENIP, enip_reads_anywhere, false, "reads over two hops",
	      "6f003000c15e000000000000010000000000000000000000000000000000020000000000b2002000520220062401059d10004c06"
	      "910a4c616d704142434445460100020001000203"),
	ALONE(ENIP, enip_reads_anywhere, false, "writes over two hops",
	      "6f003000c15e000000000000010000000000000000000000000000000000020000000000b2002000520220062401059d10004d03"
	      "91044c616d70c400010007000000020001000203"),
	ALONE(ENIP, enip_reads_anywhere, false, "writes behind an address",
	      "6f003600c15e000000000000010000000000000000000000000000000000020000000000b2002600520220062401059d10004d03"
	      "91044c616d70c4000100070000000500120831302e302e302e31"),
	ALONE(ENIP, enip_reads_anywhere, false, "sent on twice",
	      "6f003c00c15e000000000000010000000000000000000000000000000000020000000000b2002c00520220062401059d1e005202"
	      "20062401059d10004c06910a4c616d7041424344454601000100010001000100"),
	ALONE(ENIP, enip_reads_anywhere, false, "one of two that are sent on",
	      "6f004a00c15e000000000000010000000000000000000000000000000000020000000000b2003a00520220062401059d2c000a02"
	      "200224010200060016004c06910a4c616d7041424344454601004d0391044c616d70c40001000700000001000100"),
	ALONE(ENIP, enip_reads_anywhere, false, "several in several",
	      "6f004600c15e000000000000010000000000000000000000000000000000020000000000b20036000a0220022401010004000a02"
	      "200224010200060016004c06910a4c616d7041424344454601004c06910a4c616d704142434445460100"),
	ALONE(ENIP, enip_reads_anywhere, false, "sent on from several",
	      "6f003800c15e000000000000010000000000000000000000000000000000020000000000b20028000a0220022401010004005202"
	      "20062401059d10004d0391044c616d70c40001000700000001000100"),
	ALONE(ENIP, enip_reads_anywhere, false, "by PCCC, one of two",
	      "6f004500c15e000000000000010000000000000000000000000000000000020000000000b20035000a0220022401020006001600"
	      "4c06910a4c616d7041424344454601004b0220672401074d00010203040f000100aa02078900000700"),
	MANY(ENIP, enip_reads_anywhere, "one write of five",
	     "6f007200c15e000000000000010000000000000000000000000000000000020000000000b20062000a022002240105000c001c002"
	     "c003c004c00",
	     "4c06910a4c616d704142434445460100", "4d0391044c616d70c400010007000000", "", 5),
	MANY(ENIP, enip_policy, "one tag of five",
	     "6f007200c15e000000000000010000000000000000000000000000000000020000000000b20062000a022002240105000c001c002"
	     "c003c004c00",
	     "4c06910a4c616d704142434445460100", "4c06910a4c616d704142434445470100", "", 5),
	ALONE(FINS, fins_reads, true, "reads words",
	      "46494e530000001a0000000200000000800002000a00001900010101820000000004"),
	ALONE(FINS, fins_reads, true, "reads bits",
	      "46494e530000001a0000000200000000800002000a00001900010101310000030004"),
	ALONE(FINS, fins_reads, false, "writes",
	      "46494e530000001c0000000200000000800002000a000019000101028200000000010007"),
	ALONE(FINS, fins_reads, false, "writes a bit",
	      "46494e530000001b0000000200000000800002000a0000190001010231000000000101"),
	ALONE(FINS, fins_reads, false, "fills",
	      "46494e530000001c0000000200000000800002000a000019000101038200000000640007"),
	ALONE(FINS, fins_reads, false, "transfers",
	      "46494e530000001e0000000200000000800002000a0000190001010582000000820032000005"),
	ALONE(FINS, fins_reads, false, "forces",
	      "46494e530000001c0000000200000000800002000a000019000123010001000130000000"),
	ALONE(FINS, fins_reads, false, "forces nothing any more",
	      "46494e53000000140000000200000000800002000a00001900012302"),
	ALONE(FINS, fins_reads, false, "runs", "46494e53000000170000000200000000800002000a00001900010401ffff04"),
	ALONE(FINS, fins_reads, false, "stops", "46494e53000000140000000200000000800002000a00001900010402"),
	ALONE(FINS, fins_reads, false, "resets", "46494e53000000140000000200000000800002000a00001900010403"),
	ALONE(FINS, fins_reads, false, "sets the clock",
	      "46494e530000001b0000000200000000800002000a0000190001070226112809300006"),
	ALONE(FINS, fins_reads, false, "clears errors", "46494e53000000160000000200000000800002000a00001900012101ffff"),
	ALONE(FINS, fins_reads, false, "takes the access right",
	      "46494e53000000160000000200000000800002000a00001900010c020000"),
	ALONE(FINS, fins_reads, false, "writes parameters",
	      "46494e530000001c0000000200000000800002000a000019000102028010000000010007"),
	ALONE(FINS, fins_reads, false, "writes the program",
	      "46494e530000001e0000000200000000800002000a00001900010307ffff0000000000024142"),
	ALONE(FINS, fins_reads, false, "clears the program",
	      "46494e53000000170000000200000000800002000a00001900010308ffff00"),
	ALONE(FINS, fins_reads, false, "reads the program",
	      "46494e530000001c0000000200000000800002000a00001900010306ffff000000000100"),
	ALONE(FINS, fins_reads, false, "a file to memory",
	      "46494e530000002a0000000200000000800002000a0000190001220a0001820000000001800041424344454647482e455845"),
	ALONE(FINS, fins_reads, false, "deletes a file",
	      "46494e53000000240000000200000000800002000a000019000122058000000141424344454647482e455845"),
	ALONE(FINS, fins_reads, false, "opens a connection",
	      "46494e530000001c0000000200000000800002000a000019000127110000000000000000"),
	ALONE(FINS, fins_reads, false, "a command that nobody knows",
	      "46494e530000001a0000000200000000800002000a000019000128010e0400010001"),
	ALONE(FINS, fins_reads, false, "reads another network",
	      "46494e530000001a0000000200000000800002020a00001900010101820000000004"),
	ALONE(FINS, fins_reads, false, "reads another node",
	      "46494e530000001a0000000200000000800002000b00001900010101820000000004"),
	ALONE(FINS, fins_reads, false, "reads another unit",
	      "46494e530000001a0000000200000000800002000a10001900010101820000000004"),
	ALONE(FINS, fins_reads, false, "reads all nodes",
	      "46494e530000001a000000020000000080000200ff00001900010101820000000004"),
	ALONE(FINS, fins_reads, false, "writes, and wants no answer",
	      "46494e530000001c0000000200000000810002000a000019000101028200000000010007"),
	ALONE(FINS, fins_reads_anywhere, true, "reads another network",
	      "46494e530000001a0000000200000000800002020b10001900010101820000000004"),
	ALONE(FINS, fins_reads_anywhere, false, "reads all nodes, where any may be read",
	      "46494e530000001a000000020000000080000200ff00001900010101820000000004"),
	ALONE(FINS, fins_reads_anywhere, false, "writes to another network, where any may be read",
	      "46494e530000001c0000000200000000800002020b000019000101028200000000010007"),
	ALONE(FINS, fins_reads_anywhere, false, "stops another unit, where any may be read",
	      "46494e53000000140000000200000000800002000a10001900010402"),
	ALONE(FINS, fins_writes, true, "writes in range",
	      "46494e530000001e0000000200000000800002000a0000190001010282006200000200010000"),
	ALONE(FINS, fins_writes, true, "fills in range",
	      "46494e530000001c0000000200000000800002000a000019000101038200000000640001"),
	ALONE(FINS, fins_writes, false, "writes out of range",
	      "46494e530000001e0000000200000000800002000a0000190001010282006300000200010000"),
	ALONE(FINS, fins_writes, false, "writes another value",
	      "46494e530000001e0000000200000000800002000a0000190001010282000000000200010002"),
	ALONE(FINS, fins_writes, false, "fills with another value",
	      "46494e530000001c0000000200000000800002000a000019000101038200000000640002"),
	ALONE(FINS, fins_writes, false, "writes a bit of a word",
	      "46494e530000001b0000000200000000800002000a0000190001010202000003000101"),
	ALONE(FINS, fins_writes, false, "transfers, whatever is there",
	      "46494e530000001e0000000200000000800002000a0000190001010582000000820032000005"),
	ALONE(FINS, fins_writes, false, "writes EM of the same number",
	      "46494e530000001c0000000200000000800002000a00001900010102a000000000010001"),
	ALONE(FINS, fins_writes, false, "writes by a code that nobody knows",
	      "46494e530000001c0000000200000000800002000a00001900010102fe00000000010001"),
	ALONE(FINS, fins_writes, false, "more than is counted",
	      "46494e530000001e0000000200000000800002000a0000190001010282000000000100010001"),
	ALONE(FINS, fins_writes, false, "less than is counted",
	      "46494e530000001c0000000200000000800002000a000019000101028200000000020001"),
	ALONE(FINS, fins_writes, false, "none", "46494e530000001a0000000200000000800002000a00001900010102820000000000"),
	MANY(FINS, fins_policy, "one word of six", "46494e530000002c0000000200000000800002000a00001900010104",
	     "82000000", "82006400", "", 6),
	MANY(FINS, fins_policy, "one area of six", "46494e530000002c0000000200000000800002000a00001900010104",
	     "82006300", "b1000000", "", 6),
	MANY(FINS, fins_writes, "one value of six",
	     "46494e53000000260000000200000000800002000a00001900010102820000000006", "0001", "0002", "", 6),
	MANY(FINS, fins_forces, "one bit of four", "46494e530000002e0000000200000000800002000a000019000123010004",
	     "000131000003", "000131000004", "", 4),
	ALONE(ENIP_CONNECTED, enip_reads_anywhere, true, "reads over a connection",
	      "70002600c15e0000000000000000000000000000000000000000000000000200a100040003010000b100120001004c06910a4c61"
	      "6d704142434445460100"),
	ALONE(ENIP_CONNECTED, enip_reads_anywhere, false, "writes over a connection",
	      "70002600c15e0000000000000000000000000000000000000000000000000200a100040003010000b100120001004d0391044c61"
	      "6d70c400010007000000"),
	ALONE(ENIP_CONNECTED, enip_reads_anywhere, false, "writes by PCCC over a connection",
	      "70002f00c15e0000000000000000000000000000000000000000000000000200a100040003010000b1001b0001004b0220672401"
	      "074d00010203040f000100aa02078900000700"),
	ALONE(ENIP_CONNECTED, enip_reads_anywhere, false, "one of two over a connection",
	      "70004200c15e0000000000000000000000000000000000000000000000000200a100040003010000b1002e0001000a0220022401"
	      "0200060016004c06910a4c616d7041424344454601004d0391044c616d70c400010007000000"),
	ALONE(ENIP_CONNECTED, enip_reads_anywhere, false, "sent on from a connection's end",
	      "70003400c15e0000000000000000000000000000000000000000000000000200a100040003010000b10020000100520220062401"
	      "059d10004d0391044c616d70c40001000700000001000100"),
	ALONE(ENIP_CONNECTED, enip_reads_anywhere, false, "over another connection",
	      "70002600c15e0000000000000000000000000000000000000000000000000200a100040004010000b100120001004c06910a4c61"
	      "6d704142434445460100"),
	ALONE(S7COMM, s7comm_reads, true, "reads flags",
	      "0300001f02f080320100000002000e00000401120a10020001000083000000"),
	ALONE(S7COMM, s7comm_reads, true, "reads by cycles",
	      "0300002d02f080320700000002000800140001120411420100ff09001000010101120a10020001000a84000000"),
	ALONE(S7COMM, s7comm_reads, false, "writes",
	      "0300002502f080320100000002000e00060501120a10040001000a84000000000400100007"),
	ALONE(S7COMM, s7comm_reads, false, "starts",
	      "0300002502f0803201000000020014000028000000000000fd000009505f50524f4752414d"),
	ALONE(S7COMM, s7comm_reads, false, "stops",
	      "0300002102f0803201000000020010000029000000000009505f50524f4752414d"),
	ALONE(S7COMM, s7comm_reads, false, "inserts a block",
	      "0300002b02f080320100000002001a000028000000000000fd000a01003041303030303150055f494e5345"),
	ALONE(S7COMM, s7comm_reads, false, "copies to the card",
	      "0300002302f0803201000000020012000028000000000000fd00024550055f4d4f4455"),
	ALONE(S7COMM, s7comm_reads, false, "downloads",
	      "0300003102f080320100000002002000001a00000000000000095f30413030303031500d31303030313030303030303634"),
	ALONE(S7COMM, s7comm_reads, false, "uploads",
	      "0300002302f080320100000002001200001d00000000000000095f3041303030303150"),
	ALONE(S7COMM, s7comm_reads, false, "a block that nobody asked for",
	      "0300001d02f0803203000000020002000800001b00000400fb41424344"),
	ALONE(S7COMM, s7comm_reads, false, "selects forces",
	      "0300002502f0803207000000020008000c0001120411410700ff0900080000000000000000"),
	ALONE(S7COMM, s7comm_reads, false, "modifies variables",
	      "0300002502f0803207000000020008000c0001120411410800ff0900080000000000000000"),
	ALONE(S7COMM, s7comm_reads, false, "forces",
	      "0300002502f0803207000000020008000c0001120411410900ff0900080000000000000000"),
	ALONE(S7COMM, s7comm_reads, false, "resets memory",
	      "0300002502f0803207000000020008000c0001120411410c00ff0900080000000000000000"),
	ALONE(S7COMM, s7comm_reads, false, "replaces a job",
	      "0300002502f0803207000000020008000c0001120411411200ff0900080000000000000000"),
	ALONE(S7COMM, s7comm_reads, false, "password",
	      "0300002502f0803207000000020008000c0001120411450100ff0900080000000000000000"),
	ALONE(S7COMM, s7comm_reads, false, "sends a block",
	      "0300002502f0803207000000020008000c0001120411460100ff0900080000000000000000"),
	ALONE(S7COMM, s7comm_reads, false, "sets the clock",
	      "0300002502f0803207000000020008000c0001120411470200ff0900080000000000000000"),
	ALONE(S7COMM, s7comm_reads, false, "numerical control",
	      "0300002502f0803207000000020008000c00011204117f0100ff0900080000000000000000"),
	ALONE(S7COMM, s7comm_reads, false, "acknowledges alarms",
	      "0300002502f0803207000000020008000c0001120411440b00ff0900080000000000000000"),
	ALONE(S7COMM, s7comm_reads, false, "locks alarms",
	      "0300002502f0803207000000020008000c0001120411440700ff0900080000000000000000"),
	ALONE(S7COMM, s7comm_reads, false, "a group without a name",
	      "0300002502f0803207000000020008000c00011204114b0100ff0900080000000000000000"),
	ALONE(S7COMM, s7comm_reads, true, "reads in two parts",
	      "0300001502f000320100000002000e00000401120a0300001102f08010020001000a84000000"),
	ALONE(S7COMM, s7comm_reads, false, "writes in two parts",
	      "0300001502f000320100000002000e00060501120a0300001702f08010040001000a84000000000400100007"),
	ALONE(S7COMM, s7comm_reads, false, "reads in three parts",
	      "0300000f02f000320100000002000e0300000f02f00000000401120a10020300000f02f0800001000a84000000"),
	ALONE(S7COMM, s7comm_reads, false, "S7comm-plus",
	      "0300002302f0807201001431000004ca00000001000000003600000000000072010000"),
	ALONE(S7COMM, s7comm_policy, false, "reads another block by cycles",
	      "0300002d02f080320700000002000800140001120411420100ff09001000010101120a10020001000b84000000"),
	MANY(S7COMM, s7comm_policy, "one item of eight: another block", "0300007302f080320100000002006200000408",
	     "120a10020001000a84000000", "120a10020001000b84000000", "", 8),
	MANY(S7COMM, s7comm_policy, "one item of eight: behind the range", "0300007302f080320100000002006200000408",
	     "120a10020001000a84000000", "120a10020001000a84000320", "", 8),
	MANY(S7COMM, s7comm_policy, "one item of eight: across its end", "0300007302f080320100000002006200000408",
	     "120a10020001000a84000000", "120a10020002000a84000318", "", 8),
	MANY(S7COMM, s7comm_policy, "one item of eight: flags", "0300007302f080320100000002006200000408",
	     "120a10020001000a84000000", "120a10020001000083000000", "", 8),
	MANY(S7COMM, s7comm_writes, "one item of six that are written", "0300007f02f080320100000002004a00240506",
	     "120a10040001000a84000000", "120a10040001000b84000000",
	     "000400100001000400100001000400100001000400100001000400100001000400100001", 6),
	MANY(S7COMM, s7comm_writes, "one value of four",
	     "0300005b02f080320100000002003200180504120a10040001000a84000000120a10040001000a84000000120a10040001000a840"
	     "00000120a10040001000a84000000",
	     "000400100001", "000400100002", "", 4),
};

#endif
