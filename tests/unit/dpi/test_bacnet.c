/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The BACnet enforcer: datagrams and their lengths, tags, what each request touches and writes,
 * routes and ways. Sessions are in test_bacnet_session.c.
 * LINK: $(COMMANDS_PARTS) dpi/bacnet/%.c
 * LIBS: nettle
 */
#include "tests/unit/cmocka.h"

#include <math.h>
#include <string.h>

#include "dpi/bacnet/bacnet.h"
#include "tests/unit/dpi/bacnet_desk.h"

#define N(list) (sizeof(list) / sizeof((list)[0]))
#define READ "00 05 01 0c 0c 00400001 19 55"
#define WRITE "00 05 01 0f 0c 00400001 19 55 3e 44 41ac0000 3f"

static struct operation operations[OPERATIONS_MAX];
static uint8_t joined[ENFORCER_PDU_MAX];

static struct parsed parse(const struct wire *w)
{
	_Alignas(16) static uint8_t state[ENFORCER_STATE_MAX];
	struct parsed p = { .wrong = R_BACNET_FRAME, .operations = operations, .joined = joined };
	const uint8_t *copy = exact_copy(w->p, w->n);

	bacnet_enforcer.parse(state, DIR_C2S, bytes_of(copy, w->n), &p);
	exact_done(copy, w->n);
	return p;
}

/* ---- datagrams ------------------------------------------------------------------------------- */

/* Every datagram that is cut or longer than it should be is malformed, and so is one with any other
 * length in its header. */
static void lengths_agree(void **state)
{
	static const char *const apdus[] = {
		READ, WRITE, "10 08", "10 08 09 01 19 ff", "20 01 0f", "50 01 0f 91 02 91 20", "60 01 00"
	};
	struct wire w, other;

	(void)state;
	for (size_t k = 0; k < N(apdus); k++) {
		w = unicast(apdus[k]);
		assert_int_equal(parse(&w).wrong, R_ALLOWED);
		for (size_t n = 4; n < w.n; n++) {
			other = w;
			other.n = n;
			assert_int_equal(parse(&other).wrong, R_BACNET_FRAME);
		}
		other = w;
		other.n++;
		assert_int_equal(parse(&other).wrong, R_BACNET_FRAME);
		for (unsigned says = 0; says < 0x10000; says += says < 300 ? 1 : 251) {
			other = w;
			other.p[2] = (uint8_t)(says >> 8);
			other.p[3] = (uint8_t)says;
			assert_int_equal(parse(&other).wrong, says == w.n ? R_ALLOWED : R_BACNET_FRAME);
		}
	}
}

/* Functions of the BACnet link that carry no APDU: each has its length. Unknown functions are
 * malformed. */
static void functions_of_the_link(void **state)
{
	(void)state;
	for (unsigned function = 0; function < 256; function++)
		for (size_t n = 0; n < 45; n++) {
			struct wire w = carried((uint8_t)function, "", "");
			struct parsed p;
			bool fits;

			if (function == 4 || (function >= 9 && function <= 11))
				continue;
			w.n += n;
			w.p[3] = (uint8_t)w.n;
			p = parse(&w);
			fits = function == 1 || function == 3 || function == 7 ? n % 10 == 0
			       : function == 2 || function == 6		       ? n == 0
			       : function == 5				       ? n == 2
			       : function == 8				       ? n == 6
			       : function == 0				       ? n >= 2
									       : function == 12;
			assert_int_equal(p.wrong == R_BACNET_FRAME, !fits);
			assert_int_equal(p.n, 1);
			assert_int_equal(p.operations[0].service, 3000 + function);
			if (fits && (function == 0 || function == 3 || function == 7))
				assert_int_equal(p.wrong, R_BACNET_DIRECTION);
		}
}

/* Each control octet of the network layer, once with the fields that it announces and once with
 * less. */
static void network_layers(void **state)
{
	(void)state;
	for (unsigned control = 0; control < 256; control++)
		for (unsigned less = 0; less < 2; less++) {
			char network[64];
			struct wire w;
			struct parsed p;

			snprintf(network, sizeof(network), "01%02x%s%s%s", control,
				 (control & 0x20) != 0 ? "0005010c" : "", (control & 8) != 0 ? "00090101" : "",
				 (control & 0x20) != 0 ? "ff" : "");
			w = carried(BACNET_UNICAST, network, (control & 0x80) != 0 ? "00" : READ);
			if ((control & 0x80) != 0 && less > 0) {
				w.n--;
				w.p[3]--;
			} else if (less > 0) {
				w.n -= 9; /* all but the head of the APDU */
				w.p[3] = (uint8_t)w.n;
			}
			p = parse(&w);
			if (p.wrong != ((control & 0x50) != 0 || less > 0 ? R_BACNET_FRAME : R_ALLOWED))
				fail_msg("control %02x, %u", control, less);
			if (p.wrong != R_ALLOWED)
				continue;
			assert_int_equal(p.operations[0].targets[BACNET_ROUTE],
					 (control & 0x20) != 0 ? BACNET_ROUTE_OF(5, 12) : 0);
			assert_int_equal(p.operations[0].targets[BACNET_WAY], (control & 8) != 0 ? 110 : 10);
			assert_int_equal(p.operations[0].broadcast,
					 ((control & 0x20) != 0) << BACNET_ROUTE | ((control & 8) != 0) << BACNET_WAY);
		}
}

/* Messages of the network layer must have the length of their type. So a server that reads such a
 * message as an APDU finds no request in it. */
static void messages_of_the_network_layer(void **state)
{
	(void)state;
	for (unsigned type = 0; type < 0x80; type++)
		for (unsigned n = 0; n < 14; n++) {
			char network[16], rest[64] = "05 01 0f 0c 00 40 00 01 19 55 3e 00 3f 00";
			struct wire w;
			struct parsed p;
			bool fits;

			rest[3 * n] = '\0';
			snprintf(network, sizeof(network), "0180%02x", type);
			w = carried(BACNET_UNICAST, network, rest);
			p = parse(&w);
			fits = type == 0					     ? n == 0 || n == 2
			       : type == 1					     ? n >= 2 && n % 2 == 0
			       : type == 4 || type == 5				     ? n % 2 == 0
			       : type == 6					     ? n >= 1
			       : type == 9					     ? n == 2
			       : type == 0x12					     ? n == 0
			       : type == 2 || type == 3 || type == 8 || type == 0x13 ? n == 3
										     : true;
			assert_int_equal(p.n, 1);
			if (p.wrong != (type == 7 ? R_BACNET_DIRECTION : fits ? R_ALLOWED : R_BACNET_FRAME))
				fail_msg("type %02x, %u bytes: %d", type, n, p.wrong);
		}
}

static void routes(void **state)
{
	static const struct {
		const char *network;
		enum reason wrong;
		uint32_t route;
	} cases[] = {
		{ "0120 0005 00 ff", R_ALLOWED, BACNET_ROUTE_OF(5, BACNET_STATION_ALL) },
		{ "0120 ffff 00 ff", R_ALLOWED, BACNET_ROUTE_OF(0xffff, BACNET_STATION_ALL) },
		{ "0120 0005 06 0a1e010abac0 ff", R_ALLOWED, BACNET_ROUTE_OF(5, BACNET_STATION_LONG) },
		{ "0120 0005 02 000c ff", R_ALLOWED, BACNET_ROUTE_OF(5, BACNET_STATION_LONG) },
		{ "0120 fffe 01 00 01", R_ALLOWED, BACNET_ROUTE_OF(0xfffe, 0) },
		{ "0120 ffff 01 0c ff", R_BACNET_FRAME, 0 },
		{ "0120 0000 01 0c ff", R_BACNET_FRAME, 0 },
		{ "0120 0005 01 0c 00", R_BACNET_FRAME, 0 },
		{ "0108 0009 00", R_BACNET_FRAME, 0 },
		{ "0108 ffff 01 01", R_BACNET_FRAME, 0 },
		{ "0108 0000 01 01", R_BACNET_FRAME, 0 },
		{ "0120 0005 ff ff", R_BACNET_FRAME, 0 },
	};

	(void)state;
	for (size_t k = 0; k < N(cases); k++) {
		struct wire w = carried(BACNET_UNICAST, cases[k].network, READ);
		struct parsed p = parse(&w);

		if (p.wrong != cases[k].wrong)
			fail_msg("%s: %d", cases[k].network, p.wrong);
		if (p.wrong == R_ALLOWED)
			assert_int_equal(p.operations[0].targets[BACNET_ROUTE], cases[k].route);
	}
}

/* The first octet of an APDU: flags without a meaning for its type are refused, whatever
 * follows. */
static void flags(void **state)
{
	(void)state;
	for (unsigned first = 0; first < 256; first++) {
		unsigned type = first >> 4, flag = first & 15;
		char apdu[64];
		struct wire w;
		bool fits;

		snprintf(apdu, sizeof(apdu), "%02x %s", first,
			 type == 0 ? (flag & 8) != 0 ? "05 01 00 01 0c 0c 00400001 19 55" : "05 01 0c 0c 00400001 19 55"
			 : type == 1 ? "08"
			 : type == 2 ? "01 0f"
			 : type == 3 ? (flag & 8) != 0 ? "01 00 01 0c" : "01 0c"
			 : type == 4 ? "01 00 01"
			 : type == 5 ? "01 0f"
				     : "01 00");
		w = unicast(apdu);
		fits = type == 0   ? (flag & 1) == 0 && (flag & 12) != 4
		       : type == 3 ? (flag & 3) == 0 && (flag & 12) != 4
		       : type == 4 ? flag < 4
		       : type == 7 ? flag < 2
				   : type < 7 && flag == 0;
		if ((parse(&w).wrong == R_BACNET_FRAME) == fits)
			fail_msg("first octet %02x", first);
	}
}

/* ---- tags ------------------------------------------------------------------------------------ */

static bool is_tag(const char *hex, struct bacnet_tag *ret)
{
	struct wire w = { .n = 0 };
	struct bytes b;

	put_hex(&w, hex);
	b = bytes_of(w.p, w.n);
	return bacnet_tag_take(&b, ret) && bytes_done(&b);
}

static void tags_are_in_their_shortest_form(void **state)
{
	static const struct {
		const char *hex;
		bool fits;
		uint8_t kind, number;
	} cases[] = {
		{ "09 55", true, BACNET_CONTEXT, 0 },
		{ "08", true, BACNET_CONTEXT, 0 },
		{ "f9 0f 55", true, BACNET_CONTEXT, 15 },
		{ "f9 fe 55", true, BACNET_CONTEXT, 254 },
		{ "f9 0e 55", false, 0, 0 },
		{ "f9 00 55", false, 0, 0 },
		{ "f9 ff 55", false, 0, 0 },
		{ "f9", false, 0, 0 },
		{ "fe 10", true, BACNET_OPENING, 16 },
		{ "3e", true, BACNET_OPENING, 3 },
		{ "3f", true, BACNET_CLOSING, 3 },
		{ "36", false, 0, 0 },
		{ "37", false, 0, 0 },
		{ "0d 05 0102030405", true, BACNET_CONTEXT, 0 },
		{ "0d 04 01020304", false, 0, 0 },
		{ "0d 00", false, 0, 0 },
		{ "0d fe 0005 0102030405", true, BACNET_CONTEXT, 0 },
		{ "0d fe 0004 01020304", false, 0, 0 },
		{ "0d ff 00000005 0102030405", false, 0, 0 },
		{ "0d ff 00010000", false, 0, 0 },
		{ "0d fe 00", false, 0, 0 },
		{ "0d", false, 0, 0 },
		{ "00", true, BACNET_APPLICATION, 0 },
		{ "01 00", false, 0, 0 },
		{ "10", true, BACNET_APPLICATION, 1 },
		{ "11", true, BACNET_APPLICATION, 1 },
		{ "12", false, 0, 0 },
		{ "20", false, 0, 0 },
		{ "21 00", true, BACNET_APPLICATION, 2 },
		{ "44 00000000", true, BACNET_APPLICATION, 4 },
		{ "43 000000", false, 0, 0 },
		{ "55 08 0000000000000000", true, BACNET_APPLICATION, 5 },
		{ "54 00000000", false, 0, 0 },
		{ "70", false, 0, 0 },
		{ "71 00", true, BACNET_APPLICATION, 7 },
		{ "82 07 80", true, BACNET_APPLICATION, 8 },
		{ "82 08 80", false, 0, 0 },
		{ "81 01", false, 0, 0 },
		{ "95 05 0000000000", false, 0, 0 },
		{ "c4 00400001", true, BACNET_APPLICATION, 12 },
		{ "c3 004000", false, 0, 0 },
		{ "d0", false, 0, 0 },
		{ "e0", false, 0, 0 },
		{ "f0 0f", false, 0, 0 },
	};

	(void)state;
	for (size_t k = 0; k < N(cases); k++) {
		struct bacnet_tag t;

		if (is_tag(cases[k].hex, &t) != cases[k].fits)
			fail_msg("%s", cases[k].hex);
		if (cases[k].fits) {
			assert_int_equal(t.kind, cases[k].kind);
			assert_int_equal(t.number, cases[k].number);
		}
	}
}

/* Constructed data may be nested at most 12 deep; each is closed by a tag with its own number, the
 * inner ones first. */
static void constructed_data_close(void **state)
{
	static const struct {
		const char *hex;
		bool fits;
	} cases[] = {
		{ "", true },
		{ "0e 0f", true },
		{ "0e 1e 1f 0f", true },
		{ "0e 1e 0f 1f", false },
		{ "0e", false },
		{ "0e 1f", false },
		{ "0e 0e 0f", false },
		{ "0e 0f 0e 0f", true },
		{ "fe 10 ff 10", true },
		{ "fe 10 ff 11", false },
		{ "0e 21 05 0f", true },
		{ "0e 25 05 0f", false },
	};
	struct bacnet_any any;

	(void)state;
	for (size_t k = 0; k < N(cases); k++) {
		struct wire w = { .n = 0 };
		struct bytes b;

		put_hex(&w, cases[k].hex);
		b = bytes_of(w.p, w.n);
		if ((bacnet_any(&b, BACNET_NO_HOLDER, &any) && bytes_done(&b)) != cases[k].fits)
			fail_msg("%s", cases[k].hex);
	}
	for (size_t depth = 1; depth < 20; depth++) {
		struct wire w = { .n = 2 * depth };
		struct bytes b;

		memset(w.p, 0x0e, depth);
		memset(w.p + depth, 0x0f, depth);
		b = bytes_of(w.p, w.n);
		assert_int_equal(bacnet_any(&b, BACNET_NO_HOLDER, &any), depth <= BACNET_DEPTH_MAX);
	}
}

/* ---- values ---------------------------------------------------------------------------------- */

static struct values value_of(const char *hex)
{
	struct wire w = { .n = 0 };
	struct bacnet_any any;
	struct bytes b;

	put_hex(&w, hex);
	b = bytes_of(w.p, w.n);
	assert_true(bacnet_any(&b, BACNET_NO_HOLDER, &any));
	return any.written;
}

static void values_are_whole_numbers(void **state)
{
	static const struct {
		const char *hex;
		uint32_t n; /* 0: unknown */
		uint64_t lo, hi;
	} cases[] = {
		{ "10", 1, 0, 0 },
		{ "11", 1, 1, 1 },
		{ "21 00", 1, 0, 0 },
		{ "22 0100", 1, 256, 256 },
		{ "22 0001", 0, 0, 0 }, /* a leading zero */
		{ "24 7fffffff", 1, 0x7fffffff, 0x7fffffff },
		{ "24 80000000", 0, 0, 0 },
		{ "25 05 0100000000", 0, 0, 0 },
		{ "91 01", 1, 1, 1 },
		{ "31 14", 1, 20, 20 },
		{ "31 ff", 1, 0xffffffff, 0xffffffff },
		{ "31 ec", 1, 0xffffffec, 0xffffffec },
		{ "32 00ff", 1, 255, 255 },
		{ "32 ff7f", 1, 0xffffff7f, 0xffffff7f },
		{ "32 ffff", 0, 0, 0 },
		{ "32 0014", 0, 0, 0 },
		{ "34 80000000", 1, 0x80000000, 0x80000000 },
		{ "44 41900000", 1, 18, 18 },		      /* 18.0 */
		{ "44 41ac0000", 2, 21, 22 },		      /* 21.5 */
		{ "44 c1a00000", 1, 0xffffffec, 0xffffffec }, /* -20.0 */
		{ "44 c1a40000", 2, 0xffffffeb, 0xffffffec }, /* -20.5 */
		{ "44 bf000000", 2, 0, 0xffffffff },	      /* -0.5 */
		{ "44 80000000", 1, 0, 0 },		      /* -0.0 */
		{ "44 00000001", 2, 0, 1 },
		{ "44 4f000000", 0, 0, 0 }, /* 2^31 */
		{ "44 7f800000", 0, 0, 0 }, /* no number */
		{ "44 ff800000", 0, 0, 0 },
		{ "44 7fc00000", 0, 0, 0 },
		{ "55 08 4034800000000000", 2, 20, 21 }, /* 20.5 */
		{ "55 08 7ff0000000000000", 0, 0, 0 },
		{ "00", 0, 0, 0 },
		{ "", 0, 0, 0 },
		{ "21 05 21 05", 0, 0, 0 },
		{ "0e 21 05 0f", 0, 0, 0 },
		{ "09 05", 0, 0, 0 }, /* a context tag has no type */
		{ "72 0041", 0, 0, 0 },
		{ "c4 00400001", 0, 0, 0 },
	};

	(void)state;
	for (size_t k = 0; k < N(cases); k++) {
		struct values v = value_of(cases[k].hex);

		if (v.form != (cases[k].n == 0 ? VALUES_UNKNOWN : VALUES_BETWEEN))
			fail_msg("%s: %u", cases[k].hex, v.form);
		if (cases[k].n == 0)
			continue;
		if (v.n != cases[k].n || v.lo != cases[k].lo || v.hi != cases[k].hi)
			fail_msg("%s: %u, %lx to %lx", cases[k].hex, v.n, (unsigned long)v.lo, (unsigned long)v.hi);
	}
}

/* Limits hold for every type that a client may use for the value: if a value passes, it is within
 * the limits also for a server that converts it to another type. */
static void limits_hold_for_all_types(void **state)
{
	struct command_row *row;
	struct desk d;

	(void)state;
	row = open_desk(&d);
	row->values = desk_range(&d, 18, 26);
	for (int tenth = -300; tenth < 600; tenth++) {
		float v = (float)tenth / 10.0f;
		char text[128];
		uint32_t bits;

		memcpy(&bits, &v, 4);
		snprintf(text, sizeof(text), "00 05 01 0f 0c 00400001 19 55 3e 44 %08x 3f", bits);
		if (ask(&d, text)->allowed != (v >= 18.0f && v <= 26.0f))
			fail_msg("%f", (double)v);
		/* a server that reads the bits of the real number as an integer would get one
		 * beyond the limits */
		snprintf(text, sizeof(text), "00 05 01 0f 0c 00400001 19 55 3e 24 %08x 3f", bits);
		assert_false(ask(&d, text)->allowed);
	}
	assert_int_equal(ask(&d, "00 05 01 0f 0c 00400001 19 55 3e 91 14 3f")->reason, R_ALLOWED);
	assert_int_equal(ask(&d, "00 05 01 0f 0c 00400001 19 55 3e 91 1b 3f")->reason, R_BACNET_VALUE);
	assert_int_equal(ask(&d, "00 05 01 0f 0c 00400001 19 55 3e 00 3f")->reason, R_BACNET_VALUE);
}

/* ---- requests -------------------------------------------------------------------------------- */

struct touch {
	uint32_t service, object, property, priority;
	bool known;
};

#define P(property) BACNET_PROPERTY_OF(property, BACNET_INDEX_NONE)
#define NO BACNET_PRIORITY_NONE

/* The objects, properties and priorities that each service touches, in the order of its data. */
static void services_say_what_they_touch(void **state)
{
	static const struct {
		const char *apdu;
		uint32_t n;
		struct touch touches[3];
	} cases[] = {
		{ READ, 1, { { 12, AO(1), P(85), NO, true } } },
		{ "00 05 01 0c 0c 00400001 19 57 29 08", 1, { { 12, AO(1), BACNET_PROPERTY_OF(87, 8), NO, true } } },
		{ "00 05 01 0c 0c 00400001 19 57 29 00", 1, { { 12, AO(1), BACNET_PROPERTY_OF(87, 0), NO, true } } },
		{ "00 05 01 0c 0c 00400001 19 57 2a 01fe",
		  1,
		  { { 12, AO(1), BACNET_PROPERTY_OF(87, 510), NO, true } } },
		{ "00 05 01 0c 0c 00400001 19 57 2a 0200",
		  1,
		  { { 12, AO(1), BACNET_PROPERTY_OF(87, 510), NO, true } } },
		{ "00 05 01 0c 0c ffffffff 1b 400000", 1, { { 12, UINT32_MAX, P(0x400000), NO, true } } },
		{ "00 05 01 0c 0c 00400001 1b 7fffff", 1, { { 12, AO(1), BACNET_PROPERTY_NONE, NO, true } } },
		{ "00 05 01 0c 0c 00400001 1c ffffffff", 1, { { 12, AO(1), BACNET_PROPERTY_NONE, NO, true } } },
		{ "00 05 01 0e 0c 00400001 1e 09 55 09 57 19 08 1f 0c 00000002 1e 09 08 1f",
		  3,
		  { { 14, AO(1), P(85), NO, true },
		    { 14, AO(1), BACNET_PROPERTY_OF(87, 8), NO, true },
		    { 14, OBJECT(0, 2), P(8), NO, true } } },
		{ WRITE, 1, { { 15, AO(1), P(85), 16, true } } },
		{ "00 05 01 0f 0c 00400001 19 55 3e 21 05 3f 49 08", 1, { { 15, AO(1), P(85), 8, true } } },
		{ "00 05 01 0f 0c 00400001 19 55 3e 00 3f 49 08", 1, { { 4115, AO(1), P(85), 8, true } } },
		{ "00 05 01 0f 0c 00400001 19 51 3e 11 3f", 1, { { 4015, AO(1), P(81), 16, true } } },
		{ "00 05 01 0f 0c 00400001 19 51 3e 00 3f", 1, { { 4015, AO(1), P(81), 16, true } } },
		{ "00 05 01 10 0c 00400001 1e 09 55 2e 21 05 2f 39 08 09 51 2e 11 2f 1f 0c 00400002 1e 09 55 2e 00 2f "
		  "1f",
		  3,
		  { { 16, AO(1), P(85), 8, true },
		    { 4016, AO(1), P(81), 16, true },
		    { 4116, AO(2), P(85), 16, true } } },
		{ "00 05 01 05 09 01 1c 00400001 29 01 39 3c", 1, { { 5, AO(1), BACNET_PROPERTY_NONE, NO, true } } },
		{ "00 05 01 1c 09 01 1c 00400001 4e 09 55 4f", 1, { { 28, AO(1), P(85), NO, true } } },
		{ "00 05 01 1e 09 01 4e 0c 00400001 1e 0e 09 55 0f 29 00 0e 09 51 0f 1c 3f800000 29 01 1f 4f",
		  2,
		  { { 30, AO(1), P(85), NO, true }, { 30, AO(1), P(81), NO, true } } },
		{ "00 05 01 06 c4 02800001 0e 31 00 21 10 0f",
		  1,
		  { { 6, OBJECT(10, 1), BACNET_PROPERTY_NONE, NO, true } } },
		{ "00 05 01 07 c4 02800001 1e 31 00 21 01 62 0102 1f",
		  1,
		  { { 7, OBJECT(10, 1), BACNET_PROPERTY_NONE, NO, true } } },
		{ "00 05 01 08 0c 03c00001 19 66 3e 21 01 3f", 1, { { 8, OBJECT(15, 1), P(102), NO, true } } },
		{ "00 05 01 09 0c 03c00001 19 66 3e 21 01 3f", 1, { { 9, OBJECT(15, 1), P(102), NO, true } } },
		{ "00 05 01 0a 0e 1c 00400007 0f 1e 09 4d 2e 71 00 2f 1f",
		  2,
		  { { 10, AO(7), BACNET_PROPERTY_NONE, NO, true }, { 10, AO(7), P(77), 16, true } } },
		{ "00 05 01 0a 0e 09 01 0f", 1, { { 10, AO(0), BACNET_PROPERTY_NONE, NO, true } } },
		{ "00 05 01 0b c4 00400007", 1, { { 11, AO(7), BACNET_PROPERTY_NONE, NO, true } } },
		{ "00 05 01 1a 0c 05000001 19 83 3e 21 01 31 05 3f", 1, { { 26, OBJECT(20, 1), P(131), NO, true } } },
		{ "00 05 01 00 09 01 1c 00400001 29 03 3e 09 10 3f 4a 0041 5e 5f",
		  1,
		  { { 0, AO(1), BACNET_PROPERTY_NONE, NO, true } } },
		{ "00 05 01 1b 09 01 1a 0041 29 01 3c 05400001",
		  1,
		  { { 27, OBJECT(21, 1), BACNET_PROPERTY_NONE, NO, true } } },
		{ "00 05 01 1b 09 01 1a 0041 29 01", 1, { { 27, 0, BACNET_PROPERTY_NONE, NO, false } } },
		{ "00 05 01 14 09 00", 1, { { 20, 0, BACNET_PROPERTY_NONE, NO, true } } },
		{ "00 05 01 14 09 01 1a 0041", 1, { { 20, 0, BACNET_PROPERTY_NONE, NO, true } } },
		{ "00 05 01 14 09 02", 1, { { 4020, 0, BACNET_PROPERTY_NONE, NO, false } } },
		{ "00 05 01 14 09 07", 1, { { 4020, 0, BACNET_PROPERTY_NONE, NO, false } } },
		{ "00 05 01 11 09 05 19 01", 1, { { 17, 0, BACNET_PROPERTY_NONE, NO, true } } },
		{ "10 08", 1, { { 1008, 0, BACNET_PROPERTY_NONE, NO, true } } },
		{ "10 07 2c 00400001", 1, { { 1007, 0, BACNET_PROPERTY_NONE, NO, true } } },
		{ "10 06 a4 7e0b1c06 b4 161e0000", 1, { { 1006, 0, BACNET_PROPERTY_NONE, NO, true } } },
		{ "00 05 01 12 09 07 19 01 ff ff", 1, { { 18, 0, BACNET_PROPERTY_NONE, NO, false } } },
		{ "10 04 09 07 19 01", 1, { { 1004, 0, BACNET_PROPERTY_NONE, NO, false } } },
		{ "00 05 01 63 01 02", 1, { { 99, 0, BACNET_PROPERTY_NONE, NO, false } } },
		{ "08 05 01 00 01 0f 0c 00400001", 1, { { 15, 0, BACNET_PROPERTY_NONE, NO, false } } },
	};

	(void)state;
	for (size_t k = 0; k < N(cases); k++) {
		struct wire w = unicast(cases[k].apdu);
		struct parsed p = parse(&w);

		if (p.wrong != R_ALLOWED || p.n != cases[k].n)
			fail_msg("%s: %d, %u", cases[k].apdu, p.wrong, p.n);
		for (uint32_t i = 0; i < p.n; i++) {
			const struct touch *t = &cases[k].touches[i];
			const struct operation *o = &p.operations[i];
			bool has = o->space == BACNET_OBJECTS;

			if (o->service != t->service || o->place_unknown == t->known ||
			    (has && o->first != t->object) || (!has && t->object != 0) ||
			    o->targets[BACNET_PROPERTY] != t->property || o->targets[BACNET_PRIORITY] != t->priority)
				fail_msg("%s: %u: %u %lx %x %u", cases[k].apdu, i, o->service, (unsigned long)o->first,
					 o->targets[BACNET_PROPERTY], o->targets[BACNET_PRIORITY]);
		}
	}
}

/* Data that differ from what the standard says of their service: an item too many, too few, twice,
 * in another order or of another type; a number with leading zeros; an empty list; none or two of
 * the alternatives of a choice. */
static void other_data_are_malformed(void **state)
{
	static const char *const apdus[] = {
		"00 05 01 0c",
		"00 05 01 0c 0c 00400001",
		"00 05 01 0c 19 55 0c 00400001",
		"00 05 01 0c 0c 00400001 0c 00400002 19 55",
		"00 05 01 0c 0c 00400001 19 55 19 51",
		"00 05 01 0c 0c 00400001 19 55 29 01 29 02",
		"00 05 01 0c 0c 00400001 19 55 39 01",
		"00 05 01 0c c4 00400001 19 55",
		"00 05 01 0c 0c 00400001 91 55",
		"00 05 01 0c 0b 004000 19 55",
		"00 05 01 0c 0d 05 0040000100 19 55",
		"00 05 01 0c 0c 00400001 1a 0055",
		"00 05 01 0c 0c 00400001 18",
		"00 05 01 0c 0c 00400001 1d 05 0000000055",
		"00 05 01 0c 0c 00400001 19 55 2a 0001",
		"00 05 01 0c 0c 00400001 1e 55 1f",
		"00 05 01 0c 0c 00400001 19 55 00",
		"00 05 01 0e",
		"00 05 01 0e 0c 00400001",
		"00 05 01 0e 0c 00400001 1e 1f",
		"00 05 01 0e 0c 00400001 1e 09 55",
		"00 05 01 0e 0c 00400001 1e 09 55 0f",
		"00 05 01 0e 0c 00400001 1e 09 55 1f 1e 09 55 1f",
		"00 05 01 0e 0c 00400001 1e 09 55 1f 0c 00400002",
		"00 05 01 0e 0c 00400001 1e 09 55 19 01 19 02 1f",
		"00 05 01 0f 0c 00400001 19 55",
		"00 05 01 0f 0c 00400001 19 55 3e 21 05",
		"00 05 01 0f 0c 00400001 19 55 3e 21 05 2f",
		"00 05 01 0f 0c 00400001 19 55 3e 21 05 3f 49 00",
		"00 05 01 0f 0c 00400001 19 55 3e 21 05 3f 49 11",
		"00 05 01 0f 0c 00400001 19 55 3e 21 05 3f 4a 0008",
		"00 05 01 0f 0c 00400001 19 55 3e 21 05 3f 49 08 49 08",
		"00 05 01 0f 0c 00400001 19 55 3e 21 05 3f 3e 21 06 3f",
		"00 05 01 0f 0c 00400001 19 55 39 05",
		"00 05 01 10 0c 00400001 1e 09 55 1f",
		"00 05 01 10 0c 00400001 1e 09 55 2e 21 05 2f 2e 21 06 2f 1f",
		"00 05 01 0a 0e 0f",
		"00 05 01 0a 0e 09 01 1c 00400001 0f",
		"00 05 01 0a 0e 0a 0400 0f",
		"00 05 01 0a 0e 1c 00400001 0f 1e 09 55 1f",
		"00 05 01 06 c4 02800001",
		"00 05 01 06 c4 02800001 0e 31 00 21 10 0f 1e 31 00 21 01 1f",
		"00 05 01 0b 0c 00400007",
		"00 05 01 05 09 01 1c 00400001 29 02",
		"00 05 01 14",
		"00 05 01 14 0a 0001",
		"10 06 a4 7e0b1c06",
		"10 08 09",
		"10 07",
		"10 07 2c 00400001 3a 0041",
		"90 05 01 0c",
	};
	struct desk d;

	(void)state;
	open_desk(&d);
	for (size_t k = 0; k < N(apdus); k++)
		if (ask(&d, apdus[k])->reason != R_BACNET_FRAME)
			fail_msg("%s: %d", apdus[k], d.p.reason);
}

/* If a request has several elements, a row must cover each; more than 255 are refused. */
static void every_element_counts(void **state)
{
	struct command_row *row;
	char text[4096];
	struct desk d;
	size_t len;

	(void)state;
	row = open_desk(&d);
	desk_space(&d, row, BACNET_OBJECTS, desk_range(&d, AO(1), AO(20)));
	row->targets[BACNET_PROPERTY] = desk_range(&d, BACNET_PROPERTY_OF(85, 0), P(85));
	for (unsigned bad = 0; bad <= 5; bad++)
		for (unsigned how = 0; how < 2; how++) {
			len = (size_t)snprintf(text, sizeof(text), "00 05 01 0e");
			for (unsigned k = 0; k < 5; k++)
				len += (size_t)snprintf(text + len, sizeof(text) - len, " 0c %08x 1e 09 %02x 1f",
							bad == k && how == 0 ? AO(21) : AO(k + 1),
							bad == k && how == 1 ? 81 : 85);
			assert_int_equal(ask(&d, text)->reason, bad == 5   ? R_ALLOWED
								: how == 0 ? R_BACNET_ADDRESS
									   : R_BACNET_TARGET);
		}
	for (unsigned n = 254; n <= 256; n++) {
		len = (size_t)snprintf(text, sizeof(text), "00 05 01 0e 0c 00400001 1e");
		for (unsigned k = 0; k < n; k++)
			len += (size_t)snprintf(text + len, sizeof(text) - len, " 09 55");
		snprintf(text + len, sizeof(text) - len, " 1f");
		assert_int_equal(ask(&d, text)->reason, n <= 255 ? R_ALLOWED : R_BACNET_MANY);
	}
}

/* A written value that contains a tag with the number of the tag around it. A server that takes the
 * first closing tag for the end of the value finds something else behind it, so rows with limits
 * for that do not let the request pass. */
static void ends_of_values(void **state)
{
	static const struct {
		const char *apdu;
		bool again;
	} cases[] = {
		{ "00 05 01 10 0c 00400001 1e 09 55 2e 44 40800000 2f 39 09 1f", false },
		{ "00 05 01 10 0c 00400001 1e 09 55 2e 44 40800000 2e 2f 39 01 2f 1f", true },
		{ "00 05 01 10 0c 00400001 1e 09 55 2e 0e 2e 2f 0f 2f 1f", true },
		{ "00 05 01 0f 0c 00400001 19 55 3e 44 40800000 3e 3f 49 01 3f", true },
		{ "00 05 01 0f 0c 00400001 19 55 3e 2e 2f 3f", false },
		{ "00 05 01 0a 0e 1c 00400001 0f 1e 09 55 2e 2e 2f 2f 1f", true },
	};
	struct command_row *row;
	struct desk d;

	(void)state;
	for (size_t k = 0; k < N(cases); k++)
		for (unsigned limit = 0; limit < 5; limit++) {
			bool single = strncmp(cases[k].apdu, "00 05 01 0f", 11) == 0, fits;

			row = open_desk(&d);
			if (limit == 1)
				desk_space(&d, row, BACNET_OBJECTS, desk_range(&d, AO(1), AO(20)));
			if (limit == 2)
				row->targets[BACNET_PROPERTY] = desk_range(&d, P(0), P(85));
			if (limit == 3)
				row->targets[BACNET_PRIORITY] = desk_range(&d, 1, 16);
			if (limit == 4)
				row->services = desk_ranges(&d, (uint32_t[]){ 10, 16 }, 1);
			fits = !cases[k].again || limit == 0 || (single && limit != 3) || (k == 5 && limit == 4);
			if (ask(&d, cases[k].apdu)->allowed != fits)
				fail_msg("%s: %u: %d", cases[k].apdu, limit, d.p.reason);
		}
}

/* Rows limit priorities and array indexes. A request from which the box cannot read them passes no
 * such limit. */
static void rows_limit(void **state)
{
	struct command_row *row;
	struct desk d;

	(void)state;
	row = open_desk(&d);
	row->targets[BACNET_PRIORITY] = desk_range(&d, 9, 15);
	assert_int_equal(ask(&d, "00 05 01 0f 0c 00400001 19 55 3e 21 05 3f 49 09")->reason, R_ALLOWED);
	assert_int_equal(ask(&d, "00 05 01 0f 0c 00400001 19 55 3e 21 05 3f 49 08")->reason, R_BACNET_TARGET);
	/* without a priority, it is 16 */
	assert_int_equal(ask(&d, WRITE)->reason, R_BACNET_TARGET);
	assert_int_equal(ask(&d, READ)->reason, R_ALLOWED);
	row = open_desk(&d);
	row->targets[BACNET_PROPERTY] = desk_range(&d, BACNET_PROPERTY_OF(87, 8), BACNET_PROPERTY_OF(87, 8));
	assert_int_equal(ask(&d, "00 05 01 0c 0c 00400001 19 57 29 08")->reason, R_ALLOWED);
	assert_int_equal(ask(&d, "00 05 01 0c 0c 00400001 19 57 29 07")->reason, R_BACNET_TARGET);
	assert_int_equal(ask(&d, "00 05 01 0c 0c 00400001 19 57")->reason, R_BACNET_TARGET);
	assert_int_equal(ask(&d, "00 05 01 12 09 07 19 01")->reason, R_BACNET_TARGET);
	row = open_desk(&d);
	desk_space(&d, row, BACNET_OBJECTS, desk_range(&d, AO(0), AO(0x3fffff)));
	assert_int_equal(ask(&d, "00 05 01 0a 0e 09 01 0f")->reason, R_ALLOWED);
	desk_space(&d, row, BACNET_OBJECTS, desk_range(&d, AO(0), AO(0x3ffffe)));
	assert_int_equal(ask(&d, "00 05 01 0a 0e 09 01 0f")->reason, R_BACNET_ADDRESS);
	assert_int_equal(ask(&d, "00 05 01 12 09 07 19 01")->reason, R_BACNET_ADDRESS);
	assert_int_equal(ask(&d, "10 08")->reason, R_ALLOWED);
}

/* Ways and routes pass only if a row names them, and segments of requests do not pass at all. A
 * grant of the whole protocol lets all of them pass. */
static void what_a_row_has_to_name(void **state)
{
	static const struct {
		uint8_t function;
		const char *network;
		uint32_t route, way;
	} cases[] = {
		{ 11, "01 04", 0, 11 },
		{ 9, "01 04", 0, 9 },
		{ 4, "0a140063bac0 01 04", 0, 4 },
		{ 10, "01 24 0005 01 0c ff", BACNET_ROUTE_OF(5, 12), 10 },
		{ 10, "01 24 ffff 00 ff", BACNET_ROUTE_OF(0xffff, BACNET_STATION_ALL), 10 },
		{ 10, "01 0c 0009 01 01", 0, 110 },
		{ 4, "0a140063bac0 01 2c 0005 01 0c 0009 01 01 ff", BACNET_ROUTE_OF(5, 12), 104 },
	};
	struct command_row *row;
	struct desk d;

	(void)state;
	for (size_t k = 0; k < N(cases); k++) {
		struct wire w = carried(cases[k].function, cases[k].network, READ);

		for (unsigned named = 0; named < 4; named++) {
			row = open_desk(&d);
			if ((named & 1) != 0)
				row->targets[BACNET_ROUTE] = desk_range(&d, cases[k].route, cases[k].route);
			if ((named & 2) != 0)
				row->targets[BACNET_WAY] = desk_range(&d, cases[k].way, cases[k].way);
			assert_int_equal(judge(&d, DIR_C2S, &w)->allowed,
					 (cases[k].route == 0 || (named & 1) != 0) &&
						 (cases[k].way == 10 || (named & 2) != 0));
		}
		open_desk(&d);
		d.grants[0].whole = true;
		assert_true(judge(&d, DIR_C2S, &w)->allowed);
	}
	open_desk(&d);
	assert_int_equal(ask(&d, "08 05 01 00 01 0f 0c 00400001")->reason, R_BACNET_SEGMENT);
	assert_int_equal(ask(&d, "0c 05 01 01 01 0f 0c 00400001")->reason, R_BACNET_SEGMENT);
	d.grants[0].whole = true;
	assert_int_equal(ask(&d, "08 05 01 00 01 0f 0c 00400001")->reason, R_ALLOWED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lengths_agree),
		cmocka_unit_test(functions_of_the_link),
		cmocka_unit_test(network_layers),
		cmocka_unit_test(messages_of_the_network_layer),
		cmocka_unit_test(routes),
		cmocka_unit_test(flags),
		cmocka_unit_test(tags_are_in_their_shortest_form),
		cmocka_unit_test(constructed_data_close),
		cmocka_unit_test(values_are_whole_numbers),
		cmocka_unit_test(limits_hold_for_all_types),
		cmocka_unit_test(services_say_what_they_touch),
		cmocka_unit_test(other_data_are_malformed),
		cmocka_unit_test(every_element_counts),
		cmocka_unit_test(ends_of_values),
		cmocka_unit_test(rows_limit),
		cmocka_unit_test(what_a_row_has_to_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
