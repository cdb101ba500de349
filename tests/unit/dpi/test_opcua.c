/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The OPC UA enforcer: chunks, every service with all of its fields, what each touches and writes,
 * built-in types. Sessions, channels and answers are in test_opcua_session.c.
 * LINK: $(COMMANDS_PARTS) dpi/opcua/%.c
 * LIBS: nettle
 */
#include "tests/unit/cmocka.h"

#include <string.h>

#include "tests/unit/dpi/opcua_desk.h"

#define N(list) (sizeof(list) / sizeof((list)[0]))
#define NODE (UINT64_C(2) << 32 | 100)

/* ---- chunks ---------------------------------------------------------------------------------- */

static enum frame_result cut(enum direction dir, const uint8_t *p, size_t n, size_t *len)
{
	static _Alignas(16) uint8_t zero[ENFORCER_STATE_MAX];
	const uint8_t *copy = exact_copy(p, n);
	enum frame_result r = opcua_enforcer.frame(zero, dir, bytes_of(copy, n), len);

	exact_done(copy, n);
	return r;
}

/* Every prefix of a message waits, the whole message is whole, and one more byte changes
 * nothing. */
static void messages_are_as_long_as_they_say(void **state)
{
	struct message all[] = { hello(), acknowledge(), opens(DIR_C2S, 0, NONE_URI, OPENS),
				 said("MSGF", DIR_C2S, 1, 826, "00000000"), said("CLOF", DIR_C2S, 1, 452, "") };
	size_t len;

	(void)state;
	for (size_t k = 0; k < N(all); k++) {
		for (size_t n = 0; n < all[k].n; n++)
			assert_int_equal(cut(DIR_C2S, all[k].p, n, &len), FRAME_NEED_MORE);
		for (size_t more = 0; more < 2; more++) {
			assert_int_equal(cut(DIR_C2S, all[k].p, all[k].n + more, &len), FRAME_WHOLE);
			assert_int_equal(len, all[k].n);
		}
	}
}

/* Tries any value at each of the first four bytes: a value that cannot stand there ends the flow at
 * that byte. */
static void letters_are_read_byte_by_byte(void **state)
{
	static const char *const all[] = { "HELF", "ACKF", "ERRF", "RHEF", "OPNF", "CLOF", "MSGF", "MSGC", "MSGA" };
	size_t len;

	(void)state;
	for (size_t k = 0; k < N(all); k++)
		for (unsigned at = 0; at < 4; at++)
			for (unsigned v = 0; v < 256; v++) {
				uint8_t p[4];
				bool fits = false;

				memcpy(p, all[k], 4);
				p[at] = (uint8_t)v;
				for (size_t j = 0; j < N(all); j++)
					fits = fits || memcmp(p, all[j], at + 1) == 0;
				assert_int_equal(cut(DIR_C2S, p, at + 1, &len), fits ? FRAME_NEED_MORE : FRAME_BAD);
			}
}

/* The smallest and the largest size of each message, and of a client's message with all its
 * chunks. */
static void sizes_have_limits(void **state)
{
	enum { HALF = OPCUA_PDU_MAX / 2 };
	static const struct {
		const char *letters;
		uint32_t least, client, server;
	} all[] = { { "HELF", 32, 4128, 4128 },
		    { "ACKF", 28, 28, 28 },
		    { "ERRF", 16, 4112, 4112 },
		    { "RHEF", 16, 8208, 8208 },
		    { "OPNF", 32, 16384, 16384 },
		    { "CLOF", 24, 16384, 16384 },
		    { "MSGF", 24, OPCUA_PDU_MAX, 1048576 } };
	static const uint32_t sizes[] = { 0,
					  7,
					  8,
					  15,
					  16,
					  23,
					  24,
					  27,
					  28,
					  29,
					  31,
					  32,
					  4112,
					  4113,
					  4128,
					  4129,
					  8208,
					  8209,
					  16384,
					  16385,
					  OPCUA_PDU_MAX,
					  OPCUA_PDU_MAX + 1u,
					  1048575,
					  1048576,
					  1048577,
					  UINT32_MAX };
	struct message m;
	size_t len;

	(void)state;
	for (size_t k = 0; k < N(all); k++)
		for (size_t i = 0; i < N(sizes); i++)
			for (unsigned dir = 0; dir < 2; dir++) {
				m = message_of(all[k].letters);
				m.n = 4;
				put_32(&m, sizes[i]);
				assert_int_equal(cut((enum direction)dir, m.p, 8, &len),
						 sizes[i] < all[k].least || sizes[i] > all[k].server ? FRAME_BAD
						 : dir == DIR_C2S && sizes[i] > all[k].client	     ? FRAME_LONG
												     : FRAME_NEED_MORE);
			}
	/* two chunks of half the size are the maximum, and a third is too much */
	m = message_of("MSGC");
	m.n = HALF;
	m = sized(m);
	memcpy(m.p + HALF, m.p, HALF);
	m.n = OPCUA_PDU_MAX;
	assert_int_equal(cut(DIR_C2S, m.p, m.n, &len), FRAME_LONG);
	m.p[HALF + 3] = 'F';
	assert_int_equal(cut(DIR_C2S, m.p, m.n, &len), FRAME_WHOLE);
	assert_int_equal(len, OPCUA_PDU_MAX);
	m.p[HALF + 4]++;
	assert_int_equal(cut(DIR_C2S, m.p, m.n, &len), FRAME_LONG);
	/* each chunk of a server is a PDU of its own, and a longer one comes in pieces */
	assert_int_equal(cut(DIR_S2C, m.p, m.n, &len), FRAME_WHOLE);
	assert_int_equal(len, OPCUA_PIECE);
	/* no other message may stand between the chunks of a message */
	m.p[HALF + 4]--;
	memcpy(m.p + HALF, "CLOF", 4);
	assert_int_equal(cut(DIR_C2S, m.p, m.n, &len), FRAME_BAD);
}

/* ---- every service --------------------------------------------------------------------------- */

/* For each service, by OPC 10000-4: the number of node ids that an operation touches; -1: unknown.
 * All node ids are number 100 of namespace 2. */
static const struct service_case {
	const char *name;
	uint32_t request, answer;
	unsigned class;
	int places;
	const char *body;
} services[] = {
	{ "FindServers", 422, 425, CLASS_DIAGNOSE, 0, "0200000061620100000002000000616201000000020000006162" },
	{ "GetEndpoints", 428, 431, CLASS_DIAGNOSE, 0, "0200000061620100000002000000616200000000" },
	{ "RegisterServer", 437, 440, CLASS_PROGRAM, 0,
	  "0200000061620200000061620100000002020000006162000000000200000061620100000002000000616202000000616201" },
	{ "CreateSession", 461, 464, 0, 0,
	  "020000006162020000006162030200000061620200000061620100000002000000616202000000616201000000020000006162020000"
	  "0061620200000061620200000061620400000000000000ffffffff000000000000f03f00000000" },
	{ "ActivateSession", 467, 470, 0, 0,
	  "020000006162020000006162010000000200000061620200000061620100000002000000616201002c01010200000078790200000061"
	  "62020000006162" },
	{ "CloseSession", 473, 476, 0, 0, "01" },
	{ "Cancel", 479, 482, 0, 0, "01000000" },
	{ "AddNodes", 488, 491, CLASS_PROGRAM, 2, "0100000001026400002f01026400010001000000610100000001002c0100003a" },
	{ "AddReferences", 494, 497, CLASS_PROGRAM, 2, "0100000001026400002f01ffffffff0102640001000000" },
	{ "DeleteNodes", 500, 503, CLASS_PROGRAM, 1, "010000000102640001" },
	{ "DeleteReferences", 506, 509, CLASS_PROGRAM, 2, "0100000001026400002f010102640001" },
	{ "Browse", 527, 530, CLASS_READ, 1,
	  "000000000000000000000000000000000000010000000102640000000000002101000000003f000000" },
	{ "BrowseNext", 533, 536, CLASS_READ, 0, "0001000000020000006162" },
	{ "TranslateBrowsePathsToNodeIds", 554, 557, CLASS_READ, 1, "0100000001026400010000000021000101000100000061" },
	{ "RegisterNodes", 560, 563, CLASS_READ, 1, "0100000001026400" },
	{ "UnregisterNodes", 566, 569, CLASS_READ, 0, "0100000001026400" },
	{ "QueryFirst", 615, 618, CLASS_READ, -1,
	  "000000000000000000000000000001000000003a01010000000100000000210001010001000000610d000000ffffffff010000000100"
	  "00000100000001002c01010200000078790100000001000000" },
	{ "QueryNext", 621, 624, CLASS_READ, -1, "00020000006162" },
	{ "Read", 631, 634, CLASS_READ, 1, "00000000000000000200000001000000010264000d000000ffffffff00000100000062" },
	{ "HistoryRead", 664, 667, CLASS_READ, 1, "01002c010002000000000100000001026400ffffffff0000ffffffffffffffff" },
	{ "Write", 673, 676, CLASS_WRITE, 1, "01000000010264000d000000ffffffff010605000000" },
	{ "HistoryUpdate", 700, 703, CLASS_WRITE, -1, "0100000001002c0101020000007879" },
	{ "Call", 712, 715, CLASS_CONTROL, 2, "010000000102640001026400010000000605000000" },
	{ "CreateMonitoredItems", 751, 754, CLASS_READ, 1,
	  "010000000200000001000000010264000d000000ffffffff000001000000620200000001000000000000000000594001002c01000100"
	  "000001" },
	{ "ModifyMonitoredItems", 763, 766, CLASS_READ, 0,
	  "0100000002000000010000000100000001000000000000000000594001002c01010200000078790100000001" },
	{ "SetMonitoringMode", 769, 772, CLASS_READ, 0, "01000000020000000100000001000000" },
	{ "SetTriggering", 775, 778, CLASS_READ, 0, "010000000200000001000000010000000100000002000000" },
	{ "DeleteMonitoredItems", 781, 784, CLASS_READ, 0, "010000000100000001000000" },
	{ "CreateSubscription", 787, 790, CLASS_READ, 0, "000000000000f03f0100000001000000010000000100" },
	{ "ModifySubscription", 793, 796, CLASS_READ, 0, "01000000000000000000f03f01000000010000000100000001" },
	{ "SetPublishingMode", 799, 802, CLASS_READ, 0, "010100000001000000" },
	{ "Publish", 826, 829, CLASS_READ, 0, "010000000100000002000000" },
	{ "Republish", 832, 835, CLASS_READ, 0, "0100000002000000" },
	{ "TransferSubscriptions", 841, 844, CLASS_READ, -1, "010000000100000001" },
	{ "DeleteSubscriptions", 847, 850, CLASS_READ, 0, "0100000001000000" },
	{ "FindServersOnNetwork", 12208, 12209, CLASS_DIAGNOSE, 0, "000000000100000001000000020000006162" },
	{ "RegisterServer2", 12211, 12212, CLASS_PROGRAM, 0,
	  "020000006162020000006162010000000202000000616200000000020000006162010000000200000061620200000061620101000000"
	  "01002c0101020000007879" },
};

#define LIMITS(d, row) desk_space(d, row, OPCUA_NODES, desk_range(d, NODE, NODE + 1))

/* A server may find the end of a body elsewhere than the box. Behind such a body, nodes, attributes
 * and values are unknown; in front of it they are known. */
static void bodies_hide_what_follows(void **state)
{
#define ITEM "010264000d000000ffffffff0000010000006202000000010000000000000000005940"
#define ITEM_END "0100000001"
	static const struct {
		const char *filter;
		enum reason one; /* of a single item */
		bool hides;
	} all[] = {
		{ "01002c0100", R_ALLOWED, false },
		{ "0100d40201 10000000 01000000020000000000000000000440", R_ALLOWED, false },
		{ "0100d40201 0f000000 010000000200000000000000000004", R_ALLOWED, true },
		{ "0101d40201 10000000 01000000020000000000000000000440", R_ALLOWED, true },
		{ "01002c0101020000007879", R_ALLOWED, true },
		{ "01002c0101ffffffff", R_OPCUA_FRAME, false },
		{ "01002c0102020000007879", R_OPCUA_FRAME, false },
		{ "000001020000007879", R_OPCUA_FRAME, false },
	};
	struct command_row *row;
	struct desk d;
	char body[512];

	(void)state;
	for (size_t k = 0; k < N(all); k++)
		for (unsigned items = 1; items <= 3; items++)
			for (unsigned limit = 0; limit < 3; limit++) {
				snprintf(body, sizeof(body), "0100000002000000%02x000000" ITEM "%s" ITEM_END "%s%s",
					 items, all[k].filter, items > 1 ? ITEM "000000" ITEM_END : "",
					 items > 2 ? ITEM "000000" ITEM_END : "");
				row = open_desk(&d);
				if (limit == 1)
					LIMITS(&d, row);
				if (limit == 2)
					row->targets[OPCUA_ATTRIBUTE] = desk_range(&d, 13, 13);
				if (ask(&d, 751, body)->reason != (items == 1 || !all[k].hides ? all[k].one
								   : limit == 1		       ? R_OPCUA_ADDRESS
								   : limit == 2		       ? R_OPCUA_TARGET
											       : R_ALLOWED))
					fail_msg("%zu, %u, %u: %d", k, items, limit, d.p.reason);
			}
}

/* A structure of a known type with a wrong length (Range of namespace 0, of 2 bytes), and one item
 * of Write. */
#define RANGE "16 01007603 01 02000000 aabb"
#define WRITTEN(node, attribute, variant) node attribute "000000 ffffffff 01" variant
#define NAMED "030200 01000000 61"

/* A server may understand the length of a structure otherwise than the box, and so read other items
 * behind it. A request with an item behind a structure therefore needs rows for writing values and
 * other attributes, and passes no row with limits that such an item could exceed. */
static void structures_hide_what_is_written(void **state)
{
	struct command_row *row, *other;
	struct message m;
	struct desk d;

	(void)state;
	for (unsigned first = 0; first < 2; first++)
		for (unsigned second = 0; second < 2; second++)
			for (unsigned may = 1; may < 4; may++) {
				char body[256];

				snprintf(body, sizeof(body),
					 "02000000" WRITTEN("01026400", "%s", RANGE)
						 WRITTEN("01026500", "%s", "0605000000"),
					 first ? "04" : "0d", second ? "04" : "0d");
				row = open_desk(&d);
				row->services = may == 3 ? desk_ranges(&d, (uint32_t[]){ 673, 673, 100673, 100673 }, 2)
						: may == 2
							? desk_range(&d, OPCUA_WRITE_ATTRIBUTE, OPCUA_WRITE_ATTRIBUTE)
							: desk_range(&d, OPCUA_WRITE, OPCUA_WRITE);
				start(&d);
				assert_int_equal(ask(&d, 673, body)->reason, may == 3 ? R_ALLOWED : R_OPCUA_FUNCTION);
				assert_true(may < 3 || tell(&d, 676)->allowed);
			}
	/* the node of a single structure is in front of it */
	row = open_desk(&d);
	row->services = desk_range(&d, OPCUA_WRITE, OPCUA_WRITE);
	LIMITS(&d, row);
	start(&d);
	assert_true(ask(&d, 673, "01000000" WRITTEN("01026400", "0d", RANGE))->allowed);
	assert_int_equal(ask(&d, 673, "01000000" WRITTEN("01026600", "0d", RANGE))->reason, R_OPCUA_ADDRESS);
	start(&d);
	assert_true(ask(&d, 673, "02000000" WRITTEN("01026400", "0d", "0605000000") WRITTEN("01026500", "0d", RANGE))
			    ->allowed);
	row->values = desk_range(&d, 0, UINT32_MAX);
	start(&d);
	assert_int_equal(ask(&d, 673, "01000000" WRITTEN("01026400", "0d", RANGE))->reason, R_OPCUA_VALUE);
	/* a row of attributes without values, and a row of values */
	row = open_desk(&d);
	row->services = desk_range(&d, OPCUA_WRITE_ATTRIBUTE, OPCUA_WRITE_ATTRIBUTE);
	other = desk_more(&d, 1, 200, false);
	other->services = desk_range(&d, OPCUA_WRITE, OPCUA_WRITE);
	other->values = desk_range(&d, 0, 10);
	start(&d);
	assert_int_equal(
		ask(&d, 673, "02000000" WRITTEN(NAMED, "04", RANGE) WRITTEN(NAMED, "0d", "0605000000"))->reason,
		R_OPCUA_VALUE);
	start(&d);
	assert_true(ask(&d, 673, "02000000" WRITTEN(NAMED, "0d", "0605000000") WRITTEN(NAMED, "04", RANGE))->allowed);
	/* any number of items */
	open_desk(&d);
	m = said("MSGF", DIR_C2S, 2, 673, "");
	put_32(&m, 300);
	for (unsigned i = 0; i < 300; i++)
		put_hex(&m, WRITTEN("01026400", "0d", RANGE));
	assert_true(judge(&d, DIR_C2S, sized(m))->allowed);
}

/* In the same way, the arguments behind a structure in a call are unknown, also where the call
 * seems to have none. */
static void structures_hide_arguments(void **state)
{
	struct command_row *row, *other;
	struct desk d;

	(void)state;
	row = open_desk(&d);
	row->services = desk_range(&d, 712, 712);
	LIMITS(&d, row);
	other = desk_more(&d, 1, 200, false);
	other->services = desk_range(&d, 712, 712);
	other->values = desk_range(&d, 0, 10);
	start(&d);
	assert_true(ask(&d, 712, "01000000 01026400 01026500 02000000 " RANGE "0605000000")->allowed);
	assert_int_equal(ask(&d, 712, "01000000 01026400 01026600 01000000 " RANGE)->reason, R_OPCUA_VALUE);
	for (unsigned n = 0; n < 2; n++) {
		start(&d);
		assert_int_equal(ask(&d, 712,
				     n == 0 ? "02000000 01026400 01026500 01000000 " RANGE "01026600 01026700 00000000"
					    : "02000000 01026400 01026500 01000000 " RANGE
					      "01026600 01026700 01000000 0605000000")
					 ->reason,
				 R_OPCUA_VALUE);
	}
	start(&d);
	assert_true(ask(&d, 712, "02000000 01026600 01026700 00000000 01026400 01026500 01000000 " RANGE)->allowed);
}

#define HISTORY_END "0200000000"
#define HISTORY_NODE "01026400 ffffffff 0000ffffffff ffffffff"

/* The details of a HistoryRead stand before its nodes. The box knows the length of one kind of
 * details; any other kind hides the nodes behind it. */
static void history_is_read_by_nodes(void **state)
{
#define RAW "00 0000000000000000 0000000000000000 00000000"
	static const struct {
		const char *body;
		bool hides;
	} all[] = {
		{ "01008902 00", false },
		{ "01008902 01 16000000" RAW "00", false },
		{ "01008902 01 15000000" RAW, true },
		{ "01008902 01 17000000" RAW "0000", true },
		{ "01018902 01 16000000" RAW "00", true },
		{ "0100d402 01 16000000" RAW "00", true },
		{ "01008902 01 10000000 00000000000000000000000000000000", true },
	};
	struct command_row *row;
	struct desk d;
	char body[512];

	(void)state;
	for (size_t k = 0; k < N(all); k++)
		for (unsigned nodes = 0; nodes <= 2; nodes++) {
			snprintf(body, sizeof(body), "%s" HISTORY_END "%02x000000 %s%s", all[k].body, nodes,
				 nodes > 0 ? HISTORY_NODE : "", nodes > 1 ? HISTORY_NODE : "");
			row = open_desk(&d);
			assert_true(ask(&d, 664, body)->allowed);
			LIMITS(&d, row);
			start(&d);
			if (ask(&d, 664, body)->reason != (all[k].hides ? R_OPCUA_ADDRESS : R_ALLOWED))
				fail_msg("%zu, %u: %d", k, nodes, d.p.reason);
			desk_space(&d, row, OPCUA_NODES, desk_range(&d, NODE + 1, NODE + 1));
			start(&d);
			assert_int_equal(ask(&d, 664, body)->reason,
					 all[k].hides || nodes > 0 ? R_OPCUA_ADDRESS : R_ALLOWED);
		}
}

static void each_service_is_what_it_says(void **state)
{
	struct command_row *row;
	struct desk d;

	(void)state;
	for (size_t k = 0; k < N(services); k++) {
		const struct service_case *c = &services[k];
		const struct function_info *f = function_by_code(&vocabulary_opcua, c->request);

		assert_string_equal(f->name, c->name);
		assert_int_equal(f->classes, c->class);
		row = open_desk(&d);
		row->services = desk_range(&d, c->request, c->request);
		if (!ask(&d, c->request, c->body)->allowed || d.p.function != c->request)
			fail_msg("%s: %d", c->name, d.p.reason);
		assert_int_equal(d.p.space, c->places > 0 ? OPCUA_NODES : SPACE_NONE);
		if (c->places > 0)
			assert_int_equal(d.p.address, NODE);
		assert_int_equal(tell(&d, c->answer == 634 ? 676 : 634)->reason, R_OPCUA_RESPONSE);
		assert_true(tell(&d, c->answer)->allowed);
		assert_int_equal(d.p.function, c->request);
		assert_int_equal(tell(&d, c->answer)->reason, R_OPCUA_RESPONSE); /* once */

		/* only this service is missing in the row; services that open a session are part of
		 * every use */
		row->services = desk_ranges(&d, (uint32_t[]){ 1, c->request - 1, c->request + 1, OPCUA_SECURED }, 2);
		start(&d);
		assert_int_equal(ask(&d, c->request, c->body)->reason, c->class == 0 ? R_ALLOWED : R_OPCUA_FUNCTION);
		assert_int_equal(tell(&d, c->answer)->reason, c->class == 0 ? R_ALLOWED : R_OPCUA_FUNCTION);

		for (unsigned other = 0; other < 2; other++) {
			row = open_desk(&d);
			desk_space(&d, row, OPCUA_NODES, desk_range(&d, NODE + other, NODE + other));
			assert_int_equal(ask(&d, c->request, c->body)->reason,
					 c->places == 0 || (c->places > 0 && other == 0) ? R_ALLOWED : R_OPCUA_ADDRESS);
		}
	}
}

/* A request with any number of bytes missing, or one too many, is malformed. */
static void each_service_has_all_its_fields(void **state)
{
	struct message whole, part;
	struct desk d;

	(void)state;
	for (size_t k = 0; k < N(services); k++) {
		const struct service_case *c = &services[k];

		open_desk(&d);
		whole = said("MSGF", DIR_C2S, 2, c->request, c->body);
		for (size_t n = 28; n <= whole.n + 1; n++) {
			start(&d);
			part = whole;
			part.n = n;
			part = sized(part);
			if (judge(&d, DIR_C2S, part)->reason != (n == whole.n ? R_ALLOWED : R_OPCUA_FRAME))
				fail_msg("%s, %zu of %zu bytes: %d", c->name, n, whole.n, d.p.reason);
		}
	}
}

/* Each 4 bytes of a body in turn become a count or length that is larger than the rest. */
static void counts_are_held_against_what_is_left(void **state)
{
	struct message m;
	struct desk d;

	(void)state;
	open_desk(&d);
	for (size_t k = 0; k < N(services); k++) {
		struct message whole = said("MSGF", DIR_C2S, 2, services[k].request, services[k].body);

		for (size_t at = 24; at + 4 <= whole.n; at++)
			for (unsigned v = 0; v < 4; v++) {
				static const uint8_t odd[4][4] = { { 0xfe, 0xff, 0xff, 0xff },
								   { 0xff, 0xff, 0xff, 0x7f },
								   { 0, 0, 0, 0x80 },
								   { 0xff, 0x0f, 0, 0 } };

				start(&d);
				m = whole;
				memcpy(m.p + at, odd[v], 4);
				judge(&d, DIR_C2S, m); /* under sanitizers */
				assert_true(d.p.reason < REASON_COUNT);
			}
	}
}

/* Unknown services: the nodes that they touch are unknown, and no word covers them. */
static void other_services_pass_where_they_are_named(void **state)
{
	static const uint32_t others[] = { 1, 398, 632, 15903, 65535 };
	struct command_row *row;
	struct desk d;

	(void)state;
	for (size_t k = 0; k < N(others); k++) {
		row = open_desk(&d);
		row->services = desk_range(&d, 1, others[k] - 1);
		assert_int_equal(ask(&d, others[k], "00")->reason, R_OPCUA_FUNCTION);
		row->services = desk_range(&d, others[k], others[k]);
		start(&d);
		assert_true(ask(&d, others[k], "00")->allowed);
		assert_true(tell(&d, 9999)->allowed);
		desk_space(&d, row, OPCUA_NODES, desk_range(&d, 0, UINT64_C(0xffffffffffff)));
		start(&d);
		assert_int_equal(ask(&d, others[k], "00")->reason, R_OPCUA_ADDRESS);
		row->spaces_any = true;
		row->values = desk_range(&d, 0, UINT32_MAX);
		start(&d);
		assert_int_equal(ask(&d, others[k], "00")->reason, R_OPCUA_VALUE);
	}
}

/* ---- nodes and attributes -------------------------------------------------------------------- */

#define READS(node, attribute) "0000000000000000 02000000 01000000" node attribute "ffffffff 0000ffffffff"

/* A node has one address, however its id is written; an id that is no number has none. */
static void nodes_are_numbers(void **state)
{
	static const struct {
		const char *hex;
		long long place; /* -1: it has no address; -2: it is no node id at all */
	} nodes[] = {
		{ "0055", 0x55 },
		{ "01025500", 0x200000055 },
		{ "01ffffff", 0xff0000ffff },
		{ "02020055000000", 0x200000055 },
		{ "02ffffffffffff", 0xffffffffffff },
		{ "020000ffffffff", 0xffffffff },
		{ "030200 02000000 6162", -1 },
		{ "030200 ffffffff", -1 },
		{ "040200 00112233445566778899aabbccddeeff", -1 },
		{ "050200 02000000 6162", -1 },
		{ "030200 00010000 6162", -2 },
		{ "0655", -2 },
		{ "4055", -2 }, /* a flag of an expanded node id */
		{ "8055", -2 },
		{ "ff55", -2 },
	};
	struct command_row *row;
	struct desk d;
	char body[256];

	(void)state;
	for (size_t k = 0; k < N(nodes); k++) {
		snprintf(body, sizeof(body), READS("%s", "0d000000"), nodes[k].hex);
		row = open_desk(&d);
		assert_int_equal(ask(&d, 631, body)->reason, nodes[k].place == -2 ? R_OPCUA_FRAME : R_ALLOWED);
		if (nodes[k].place >= 0)
			assert_int_equal(d.p.address, nodes[k].place);
		if (nodes[k].place == -2)
			continue;
		desk_space(&d, row, OPCUA_NODES, desk_range(&d, 0, UINT64_C(0xffffffffffff)));
		start(&d);
		assert_int_equal(ask(&d, 631, body)->reason, nodes[k].place >= 0 ? R_ALLOWED : R_OPCUA_ADDRESS);
		if (nodes[k].place < 0)
			continue;
		row->n_spaces = 0;
		desk_space(&d, row, OPCUA_NODES,
			   desk_range(&d, (uint64_t)nodes[k].place + 1, UINT64_C(0xffffffffffff) + 1));
		start(&d);
		assert_int_equal(ask(&d, 631, body)->reason, R_OPCUA_ADDRESS);
	}
}

/* A row may limit attributes; attributes other than the value are written by programming. */
static void attributes_are_told_apart(void **state)
{
	struct command_row *row;
	struct desk d;
	char body[256];

	(void)state;
	for (unsigned attribute = 0; attribute < 30; attribute++) {
		snprintf(body, sizeof(body), READS("01026400", "%02x000000"), attribute);
		row = open_desk(&d);
		row->targets[OPCUA_ATTRIBUTE] = desk_range(&d, 13, 13);
		assert_int_equal(ask(&d, 631, body)->reason, attribute == 13 ? R_ALLOWED : R_OPCUA_TARGET);
		assert_int_equal(d.p.targets[OPCUA_ATTRIBUTE], attribute);

		snprintf(body, sizeof(body), "01000000 01026400 %02x000000 ffffffff 01 0605000000", attribute);
		row = open_desk(&d);
		row->services = desk_range(&d, OPCUA_WRITE, OPCUA_WRITE);
		assert_int_equal(ask(&d, 673, body)->reason, attribute == 13 ? R_ALLOWED : R_OPCUA_FUNCTION);
		row->services = desk_range(&d, OPCUA_WRITE_ATTRIBUTE, OPCUA_WRITE_ATTRIBUTE);
		start(&d);
		assert_int_equal(ask(&d, 673, body)->reason, attribute != 13 ? R_ALLOWED : R_OPCUA_FUNCTION);
		if (attribute == 13)
			continue;
		assert_true(tell(&d, 676)->allowed);
		row->values = desk_range(&d, 0, UINT32_MAX);
		start(&d);
		assert_int_equal(ask(&d, 673, body)->reason, R_OPCUA_VALUE);
	}
	/* browsing has none */
	row = open_desk(&d);
	row->targets[OPCUA_ATTRIBUTE] = desk_range(&d, 13, 13);
	assert_true(ask(&d, 560, "01000000 01026400")->allowed);
}

/* A row has to allow each of several nodes, and all nodes between those for which there is no
 * room. */
static void every_item_is_judged(void **state)
{
	struct command_row *row;
	struct message m;
	struct desk d;

	(void)state;
	row = open_desk(&d);
	desk_space(&d, row, OPCUA_NODES, desk_range(&d, NODE, NODE + 1000));
	for (uint32_t n = 0; n < 600; n++) {
		m = said("MSGF", DIR_C2S, 2, 560, "");
		put_32(&m, n);
		for (uint32_t i = 0; i < n; i++)
			put(&m, (uint8_t[]){ 1, 2, (uint8_t)(100 + i), (uint8_t)((100 + i) >> 8) }, 4);
		start(&d);
		assert_true(judge(&d, DIR_C2S, sized(m))->allowed);
		if (n > 0) /* neighbours are put together where there is no room for each */
			assert_int_equal(d.p.quantity, n <= OPERATIONS_MAX ? 1 : n);
		for (uint32_t wrong = 0; wrong < n; wrong += 1 + n / 7) {
			struct message other = m;

			other.p[m.n - 4 * n + 4 * wrong + 1] = 3;
			start(&d);
			assert_int_equal(judge(&d, DIR_C2S, sized(other))->reason, R_OPCUA_ADDRESS);
		}
	}
	for (uint32_t n = 250; n < 260; n++) {
		m = said("MSGF", DIR_C2S, 2, 560, "");
		put_32(&m, n);
		for (uint32_t i = 0; i < n; i++)
			put(&m, (uint8_t[]){ 1, 2, (uint8_t)(100 + 2 * i), (uint8_t)((100 + 2 * i) >> 8) }, 4);
		start(&d);
		assert_true(judge(&d, DIR_C2S, sized(m))->allowed);
		for (unsigned wrong = 0; wrong < 3; wrong++) {
			static const uint8_t last[][3] = { { 2, 99, 0 }, { 2, 0, 9 }, { 3, 100, 0 } };
			struct message other = m;

			/* below the range, above it, in another namespace */
			memcpy(other.p + m.n - 3, last[wrong], 3);
			start(&d);
			assert_int_equal(judge(&d, DIR_C2S, sized(other))->reason, R_OPCUA_ADDRESS);
		}
	}
	/* those of two namespaces are not judged together, even if the row allows both */
	desk_space(&d, row, OPCUA_NODES, desk_range(&d, NODE, UINT64_C(4) << 32));
	m.p[m.n - 3] = 3;
	start(&d);
	assert_int_equal(judge(&d, DIR_C2S, sized(m))->reason, R_OPCUA_ADDRESS);
}

/* Each neighbour may be allowed by another row, whichever comes first. */
static void neighbours_may_have_rows_of_their_own(void **state)
{
	struct command_row *row, *other;
	struct desk d;

	(void)state;
	row = open_desk(&d);
	desk_space(&d, row, OPCUA_NODES, desk_range(&d, NODE, NODE));
	other = desk_more(&d, 1, 200, false);
	desk_space(&d, other, OPCUA_NODES, desk_range(&d, NODE + 1, NODE + 1));
	start(&d);
	assert_true(ask(&d, 560, "02000000 01026400 01026500")->allowed);
	assert_true(ask(&d, 560, "02000000 01026500 01026400")->allowed);
	assert_true(ask(&d, 560, "04000000 01026400 01026500 01026400 01026500")->allowed);
	assert_int_equal(ask(&d, 560, "03000000 01026400 01026500 01026600")->reason, R_OPCUA_ADDRESS);
	start(&d);
	assert_int_equal(ask(&d, 560, "02000000 01026400 01026300")->reason, R_OPCUA_ADDRESS);
}

/* Of a request for more nodes than can be judged one by one, the last ones need a row that allows
 * all nodes between them, and, if they have several attributes, any attribute. */
static void many_nodes_are_judged_together(void **state)
{
	struct command_row *row;
	struct message m;
	struct desk d;

	(void)state;
	for (unsigned attributes = 1; attributes <= 2; attributes++)
		for (uint32_t n = 250; n < 1200; n += n < 260 ? 1 : 100) {
			row = open_desk(&d);
			m = said("MSGF", DIR_C2S, 2, 631, "0000000000000000 02000000");
			put_32(&m, n);
			for (uint32_t i = 0; i < n; i++) {
				put(&m, (uint8_t[]){ 1, 2, (uint8_t)(100 + 2 * i), (uint8_t)((100 + 2 * i) >> 8) }, 4);
				put_32(&m, i % attributes == 0 ? 13 : 1);
				put_32(&m, UINT32_MAX);
				put_hex(&m, "0000 ffffffff");
			}
			assert_true(judge(&d, DIR_C2S, sized(m))->allowed);
			desk_space(&d, row, OPCUA_NODES, desk_range(&d, NODE, NODE + 2 * (n - 1)));
			start(&d);
			assert_true(judge(&d, DIR_C2S, sized(m))->allowed);
			desk_space(&d, row, OPCUA_NODES, desk_range(&d, NODE, NODE + 2 * (n - 1) - 1));
			start(&d);
			assert_int_equal(judge(&d, DIR_C2S, sized(m))->reason, R_OPCUA_ADDRESS);
			row->spaces_any = true;
			row->targets[OPCUA_ATTRIBUTE] = desk_range(&d, 0, 255);
			start(&d);
			assert_int_equal(judge(&d, DIR_C2S, sized(m))->reason,
					 n <= OPERATIONS_MAX || attributes == 1 ? R_ALLOWED : R_OPCUA_TARGET);
		}
}

/* Values beyond those that are judged one by one are unknown: a row with values refuses them, even
 * those that it names. */
static void many_values_need_a_row_without_limits(void **state)
{
	struct command_row *row;
	struct message m;
	struct desk d;

	(void)state;
	for (unsigned limited = 0; limited < 2; limited++)
		for (uint32_t n = OPERATIONS_MAX - 5; n < OPERATIONS_MAX + 5; n++) {
			row = open_desk(&d);
			if (limited)
				row->values = desk_range(&d, 0, 5);
			start(&d);
			m = said("MSGF", DIR_C2S, 2, 673, "");
			put_32(&m, n);
			for (uint32_t i = 0; i < n; i++) {
				put(&m, (uint8_t[]){ 1, 2, (uint8_t)(100 + i), (uint8_t)((100 + i) >> 8) }, 4);
				put_hex(&m, "0d000000 ffffffff 01 06 05000000");
			}
			assert_int_equal(judge(&d, DIR_C2S, sized(m))->reason,
					 limited && n > OPERATIONS_MAX ? R_OPCUA_VALUE : R_ALLOWED);
			/* the last node's access level instead of its value: another function */
			m.p[m.n - 14] = 17;
			start(&d);
			row->services = desk_range(&d, OPCUA_WRITE, OPCUA_WRITE);
			assert_int_equal(judge(&d, DIR_C2S, sized(m))->reason,
					 n > OPERATIONS_MAX ? R_OPCUA_MANY : R_OPCUA_FUNCTION);
		}
}

/* The object of a method call, the method, and each argument: one row has to allow the whole
 * call. */
static void calls_have_objects_methods_and_arguments(void **state)
{
	static const char body[] = "01000000 01026400 01026500 02000000 0605000000 0309";
	struct command_row *row;
	struct desk d;

	(void)state;
	for (unsigned lo = 99; lo <= 101; lo++)
		for (unsigned hi = lo; hi <= 102; hi++) {
			row = open_desk(&d);
			desk_space(&d, row, OPCUA_NODES, desk_range(&d, NODE - 100 + lo, NODE - 100 + hi));
			assert_int_equal(ask(&d, 712, body)->reason,
					 lo <= 100 && hi >= 101 ? R_ALLOWED : R_OPCUA_ADDRESS);
		}
	for (unsigned lo = 4; lo <= 6; lo++)
		for (unsigned hi = lo; hi <= 10; hi++) {
			row = open_desk(&d);
			row->values = desk_range(&d, lo, hi);
			assert_int_equal(ask(&d, 712, body)->reason, lo <= 5 && hi >= 9 ? R_ALLOWED : R_OPCUA_VALUE);
		}
	/* a call without arguments has no values to limit */
	assert_true(ask(&d, 712, "01000000 01026400 01026500 00000000")->allowed);
	assert_int_equal(ask(&d, 712, "01000000 01026400 01026500 01000000 0c01000000 41")->reason, R_OPCUA_VALUE);
	/* two rows are not added up: one allows the object, the other the method */
	row = open_desk(&d);
	desk_space(&d, row, OPCUA_NODES, desk_range(&d, NODE, NODE));
	row = desk_grant(&d, 1, 200, false);
	row->targets[OPCUA_POLICY] = desk_range(&d, 0, 255);
	desk_space(&d, row, OPCUA_NODES, desk_range(&d, NODE + 1, NODE + 1));
	start(&d);
	assert_int_equal(ask(&d, 712, body)->reason, R_OPCUA_ADDRESS);
}

/* ---- values ---------------------------------------------------------------------------------- */

/* Two numbers: the integers below and above the value. -1: unknown; -2: no value at all. */
static const struct value_case {
	const char *variant;
	long long lo, hi;
} values[] = {
	{ "0100", 0, 0 },
	{ "0101", 1, 1 },
	{ "01ff", 1, 1 },
	{ "0205", 5, 5 },
	{ "02ff", 0xffffffff, 0xffffffff },
	{ "03ff", 255, 255 },
	{ "04ff7f", 32767, 32767 },
	{ "040080", 0xffff8000, 0xffff8000 },
	{ "05ffff", 65535, 65535 },
	{ "06feffffff", 0xfffffffe, 0xfffffffe },
	{ "0678563412", 0x12345678, 0x12345678 },
	{ "07ffffffff", 0xffffffff, 0xffffffff },
	{ "080500000000000000", 5, 5 },
	{ "08ffffffffffffffff", 0xffffffff, 0xffffffff },
	{ "08ffffff7fffffffff", -3, -3 }, /* below -2^31 */
	{ "08ffffff7f00000000", 0x7fffffff, 0x7fffffff },
	{ "080000008000000000", -3, -3 }, /* the form of a negative number */
	{ "08a0ffffff00000000", -3, -3 },
	{ "08ffffffff00000000", -3, -3 },
	{ "080000000001000000", 0x100000000, 0x100000000 },
	{ "09a0ffffff00000000", 0xffffffa0, 0xffffffa0 },
	{ "090500000000000000", 5, 5 },
	{ "0a00004842", 50, 50 },	 /* 50.0 */
	{ "0a00004a42", 50, 51 },	 /* 50.5 */
	{ "0a000000bf", 0xffffffff, 0 }, /* -0.5 */
	{ "0affff7f4f", -3, -3 },	 /* 4294967040.0 */
	{ "0a000000cf", 0x80000000, 0x80000000 },
	{ "0a0000c07f", -1, -1 }, /* NaN */
	{ "0a0000807f", -1, -1 }, /* infinity */
	{ "0b0000000000004940", 50, 50 },
	{ "0b9a99999999194940", 50, 51 },
	{ "0b00000000000000c0", 0xfffffffe, 0xfffffffe },
	{ "0b0000c0ffffffdf41", 0x7fffffff, 0x7fffffff },
	{ "0b0000e0ffffffdf41", -3, -3 }, /* 2147483647.5 */
	{ "0b000000000000e041", -3, -3 },
	{ "0b000000f4ffffef41", -3, -3 }, /* 4294967200.0 */
	{ "0bffffffffffffef7f", -1, -1 },
	{ "0c0200000035 30", -1, -1 },
	{ "0cffffffff", -1, -1 },
	{ "0d0000000000000000", -1, -1 },
	{ "0e00000000000000000000000000000000", -1, -1 },
	{ "0f00000000", -1, -1 },
	{ "1000000000", -1, -1 },
	{ "110055", -1, -1 },
	{ "12c05500000000 00000000", -1, -1 },
	{ "1300000000", -1, -1 },
	{ "14000000000000", -1, -1 },
	{ "1503 00000000 00000000", -1, -1 },
	{ "16005501 02000000 0102", -1, -1 },
	{ "17010605000000", -1, -1 },
	{ "19 00", -1, -1 },
	{ "19 7f 00000000 00000000 00000000 00000000 00000000 00000000 00", -1, -1 },
	{ "00", -1, -1 },
	{ "86 01000000 05000000", -1, -1 },
	{ "86 00000000", -1, -1 },
	{ "86 ffffffff", -1, -1 },
	{ "c3 04000000 01020304 02000000 02000000 02000000", -1, -1 },
	{ "98 02000000 0101 0605000000", -1, -1 },
	{ "1a00", -2, -2 },
	{ "3f00", -2, -2 },
	{ "80 00000000", -2, -2 },
	{ "4100", -2, -2 },
	{ "18 0605000000", -2, -2 },
	{ "86 02000000 05000000", -2, -2 },
	{ "86 00000040 05000000", -2, -2 },
	{ "1504", -2, -2 },
	{ "16005503", -2, -2 },
	{ "1740", -2, -2 },
	{ "19 80", -2, -2 },
	{ "19 40", -2, -2 },
};

#define WRITES "01000000 01026400 0d000000 ffffffff 01"

static void values_are_what_they_are(void **state)
{
	struct command_row *row;
	struct message whole, part;
	struct desk d;
	char body[256];

	(void)state;
	for (size_t k = 0; k < N(values); k++) {
		const struct value_case *c = &values[k];

		snprintf(body, sizeof(body), WRITES "%s", c->variant);
		row = open_desk(&d);
		if (ask(&d, 673, body)->reason != (c->lo == -2 ? R_OPCUA_FRAME : R_ALLOWED))
			fail_msg("%s: %d", c->variant, d.p.reason);
		if (c->lo == -2)
			continue;
		row->values = desk_range(&d, 0, UINT32_MAX);
		start(&d);
		if (ask(&d, 673, body)->reason != (c->lo < 0 || c->lo > UINT32_MAX ? R_OPCUA_VALUE : R_ALLOWED))
			fail_msg("%s: %d", c->variant, d.p.reason);
		for (unsigned other = 0; other < 3 && c->lo >= 0; other++) {
			uint64_t lo = (uint64_t)(c->lo < c->hi ? c->lo : c->hi),
				 hi = (uint64_t)(c->lo < c->hi ? c->hi : c->lo);

			row = open_desk(&d);
			row->values = desk_range(&d, lo + (other == 1), hi + 1 - (other == 2) - (other != 1));
			if (lo == hi && other == 2)
				row->values = desk_range(&d, hi + 1, hi + 2);
			assert_int_equal(ask(&d, 673, body)->reason, other == 0 ? R_ALLOWED : R_OPCUA_VALUE);
		}
		/* no part of it */
		whole = said("MSGF", DIR_C2S, 2, 673, body);
		for (size_t n = 28; n < whole.n; n++) {
			part = whole;
			part.n = n;
			start(&d);
			assert_int_equal(judge(&d, DIR_C2S, sized(part))->reason, R_OPCUA_FRAME);
		}
	}
}

/* Data values with status and times are read. Parts of arrays, and data values without a value, are
 * unknown. */
static void data_values_have_more(void **state)
{
	struct command_row *row;
	static const struct {
		const char *rest;
		bool known;
	} all[] = {
		{ "ffffffff 03 0605000000 00000080", true },
		{ "ffffffff 3f 0605000000 00000000 0000000000000000 0000 0000000000000000 0000", true },
		{ "ffffffff 15 0605000000 0000000000000000 0000", true },
		{ "00000000 01 0605000000", true },
		{ "01000000 30 01 0605000000", false },
		{ "ffffffff 02 00000000", false },
		{ "ffffffff 00", false },
	};
	struct desk d;
	char body[256];

	(void)state;
	for (size_t k = 0; k < N(all); k++) {
		snprintf(body, sizeof(body), "01000000 01026400 0d000000 %s", all[k].rest);
		open_desk(&d);
		assert_true(ask(&d, 673, body)->allowed);
		row = open_desk(&d);
		row->values = desk_range(&d, 5, 5);
		assert_int_equal(ask(&d, 673, body)->reason, all[k].known ? R_ALLOWED : R_OPCUA_VALUE);
	}
}

/* Variants inside variants, data values inside data values, diagnostics inside diagnostics: only to
 * a limited depth. */
static void nesting_ends(void **state)
{
	struct message m;
	struct desk d;

	(void)state;
	for (unsigned what = 0; what < 3; what++)
		for (unsigned depth = 0; depth < 3000; depth += depth < 12 ? 1 : 500) {
			open_desk(&d);
			m = said("MSGF", DIR_C2S, 2, 673, WRITES);
			if (what == 2)
				put_hex(&m, "19");
			for (unsigned i = 0; i < depth; i++)
				put_hex(&m, what == 0 ? "98 01000000" : what == 1 ? "1701" : "40");
			put_hex(&m, what == 2 ? "00" : "0605000000");
			judge(&d, DIR_C2S, sized(m));
			if (d.p.reason != (depth < 8 ? R_ALLOWED : R_OPCUA_FRAME))
				fail_msg("%u, %u: %d", what, depth, d.p.reason);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_are_as_long_as_they_say),
		cmocka_unit_test(letters_are_read_byte_by_byte),
		cmocka_unit_test(sizes_have_limits),
		cmocka_unit_test(bodies_hide_what_follows),
		cmocka_unit_test(structures_hide_what_is_written),
		cmocka_unit_test(structures_hide_arguments),
		cmocka_unit_test(history_is_read_by_nodes),
		cmocka_unit_test(each_service_is_what_it_says),
		cmocka_unit_test(each_service_has_all_its_fields),
		cmocka_unit_test(counts_are_held_against_what_is_left),
		cmocka_unit_test(other_services_pass_where_they_are_named),
		cmocka_unit_test(nodes_are_numbers),
		cmocka_unit_test(attributes_are_told_apart),
		cmocka_unit_test(every_item_is_judged),
		cmocka_unit_test(neighbours_may_have_rows_of_their_own),
		cmocka_unit_test(many_nodes_are_judged_together),
		cmocka_unit_test(many_values_need_a_row_without_limits),
		cmocka_unit_test(calls_have_objects_methods_and_arguments),
		cmocka_unit_test(values_are_what_they_are),
		cmocka_unit_test(data_values_have_more),
		cmocka_unit_test(nesting_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
