/* SPDX-License-Identifier: Apache-2.0 */
/*
 * S7comm sessions: their order, their destination, what was agreed on, what a server may send
 * without a request, and what is known after bytes were missed.
 * LINK: $(COMMANDS_PARTS) dpi/s7comm/%.c
 * LIBS: nettle
 */
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <string.h>

#include "appliance/wire/once.h"
#include "tests/unit/dpi/s7comm_desk.h"

#define READ_ONE "0401 120a1002000100008300 0000"
#define READ_ANSWER "ff040008 07"
#define SETUP "f000 0001 0001 "
#define BLOCK "00 0000 00000000 09 5f3041303030303150"
#define DOWNLOAD "1a" BLOCK "0d 31303030353030303030343030"

static void ready(struct desk *d)
{
	open_session(d, RACK_0_SLOT_2, "01e0");
}

static void order(void **unused)
{
	struct made cr = connection(0xe0, 0, 7, RACK_0_SLOT_2), cc = connection(0xd0, 7, 3, RACK_0_SLOT_2);
	struct made other = connection(0xd0, 8, 3, RACK_0_SLOT_2), dr = connection(0x80, 3, 7, "");
	struct made empty = { .n = 0 }, error = { .n = 0 };
	struct desk d;
	size_t len;

	(void)unused;
	put_dt(&empty, 0, NULL, 0);
	put_hex(&error, "03000009 04 70 0007 00");
	desk_whole(&d);
	assert_int_equal(job(&d, 9, SETUP "01e0", ""), R_S7COMM_SESSION);
	assert_int_equal(say(&d, DIR_S2C, &cc), R_S7COMM_RESPONSE);
	assert_int_equal(say(&d, DIR_C2S, &empty), R_S7COMM_SESSION);
	assert_int_equal(say(&d, DIR_C2S, &cr), R_ALLOWED);
	assert_true(d.p.function == S7_TPDU(TPDU_CR) && d.p.targets[0] == 2);
	assert_int_equal(say(&d, DIR_C2S, &cr), R_S7COMM_SESSION);
	assert_int_equal(job(&d, 8, SETUP "01e0", ""), R_S7COMM_SESSION);
	assert_int_equal(say(&d, DIR_S2C, &other), R_S7COMM_RESPONSE);
	assert_int_equal(say(&d, DIR_S2C, &cc), R_ALLOWED);
	assert_int_equal(say(&d, DIR_S2C, &cc), R_S7COMM_RESPONSE);
	/* a client sends no such PDU, nor an error: refused from its type on */
	assert_int_equal(say(&d, DIR_C2S, &cc), R_NONE);
	assert_int_equal(say(&d, DIR_C2S, &error), R_NONE);
	for (size_t n = 0; n < error.n; n++)
		assert_int_equal(s7comm_enforcer.frame(d.state, DIR_C2S, bytes_of(error.b, n), &len),
				 n < 6 ? FRAME_NEED_MORE : FRAME_BAD);
	assert_int_equal(say(&d, DIR_S2C, &cr), R_S7COMM_SESSION);
	assert_int_equal(job(&d, 1, READ_ONE, ""), R_S7COMM_SESSION);
	assert_int_equal(job(&d, 1, SETUP "01e0", ""), R_ALLOWED);
	assert_int_equal(job(&d, 2, READ_ONE, ""), R_S7COMM_SESSION);
	assert_int_equal(reply(&d, 1, SETUP "01e0", ""), R_ALLOWED);
	assert_int_equal(say(&d, DIR_C2S, &empty), R_ALLOWED);
	assert_int_equal(say(&d, DIR_S2C, &empty), R_ALLOWED);
	assert_int_equal(say(&d, DIR_C2S, &cr), R_S7COMM_SESSION);
	assert_int_equal(job(&d, 3, READ_ONE, ""), R_ALLOWED);
	assert_int_equal(reply(&d, 3, "0401", READ_ANSWER), R_ALLOWED);
	assert_int_equal(say(&d, DIR_C2S, &dr), R_ALLOWED);
	assert_int_equal(job(&d, 4, READ_ONE, ""), R_S7COMM_SESSION);
	assert_int_equal(say(&d, DIR_C2S, &cr), R_S7COMM_SESSION);
}

/* A row opens a session with the targets that it names, and with no others. */
static void slots(void **unused)
{
	static const struct {
		const char *parameters;
		uint32_t slot;
		bool named; /* by the row */
	} all[] = {
		{ "c2020102", 2, true },      { "c2020302", 2, true },		{ "c2020103", 3, false },
		{ "c2020122", 0x22, false },  { "c2020402", 256, false },	{ "c2020602", 256, false },
		{ "c203010200", 256, false }, { "c2020102c60100", 256, false },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct made cr = connection(0xe0, 0, 7, all[i].parameters);
		struct desk d;

		desk_empty(&d);
		codes(&d, S7_FUNCTION(S7_READ), S7_FUNCTION(S7_READ))->targets[0] = desk_range(&d, 2, 2);
		assert_int_equal(say(&d, DIR_C2S, &cr), all[i].named ? R_ALLOWED : R_S7COMM_TARGET);
		assert_int_equal(d.p.targets[0], all[i].slot);
		d.rows[0].targets[0].any = true;
		open_session(&d, all[i].parameters, "01e0");
		d.rows[0].targets[0].any = false;
		assert_int_equal(job(&d, 2, READ_ONE, ""), all[i].named ? R_ALLOWED : R_S7COMM_TARGET);
		assert_int_equal(d.p.targets[0], all[i].slot);
	}
}

/* The answer to a refused request comes only if the policy observes. The session is in this state
 * when other rows come. */
static void observed_first(void **unused)
{
	struct made cr = connection(0xe0, 0, 7, "c2020103"), cc = connection(0xd0, 7, 3, "c2020103");
	struct desk d;

	(void)unused;
	desk_empty(&d);
	codes(&d, S7_FUNCTION(S7_READ), S7_FUNCTION(S7_READ))->targets[0] = desk_range(&d, 2, 2);
	assert_int_equal(say(&d, DIR_C2S, &cr), R_S7COMM_TARGET);
	assert_int_equal(job(&d, 1, SETUP "00f0", ""),
			 R_S7COMM_TARGET); /* also out of turn: its answer changes nothing */
	assert_int_equal(reply(&d, 1, SETUP "00f0", ""), R_S7COMM_TARGET);
	assert_int_equal(say(&d, DIR_S2C, &cc), R_S7COMM_TARGET);
	d.rows[0].targets[0].any = true;
	assert_int_equal(job(&d, 2, READ_ONE, ""), R_S7COMM_SESSION);
	d.rows[0].targets[0].any = false;
	assert_int_equal(job(&d, 3, SETUP "00f0", ""), R_S7COMM_TARGET);
	assert_int_equal(reply(&d, 3, SETUP "00f0", ""), R_S7COMM_TARGET);
	assert_int_equal(job(&d, 4, READ_ONE, ""), R_S7COMM_TARGET);
	assert_int_equal(reply(&d, 4, "0401", READ_ANSWER), R_S7COMM_TARGET);
	d.rows[0].targets[0].any = true;
	assert_int_equal(job(&d, 5, READ_ONE, ""), R_ALLOWED);
	assert_int_equal(reply(&d, 5, "0401", READ_ANSWER), R_ALLOWED);
}

/* The PDU size that both ends agreed on is the limit in both directions, to the byte. */
static void agreed_sizes(void **unused)
{
	(void)unused;
	for (int more = -2; more <= 2; more++) {
		struct made p = { .n = 0 }, data = { .n = 0 };
		struct desk d;
		int n = 240 - 10 - 14 - 4 + more;

		desk_whole(&d);
		open_session(&d, RACK_0_SLOT_2, "00f0");
		put_hex(&p, "0501");
		put_item(&p, 2, (unsigned)n, 0, 0x83, 0);
		put_hex(&data, "0004");
		put16(&data, (unsigned)n * 8);
		for (int i = 0; i < n; i++)
			put8(&data, 1);
		assert_int_equal(tell(&d, DIR_C2S, message(1, 2, &p, &data)), more <= 0 ? R_ALLOWED : R_S7COMM_SIZE);
		p.n = 0;
		n = 240 - 12 - 2 - 4 + more;
		put_hex(&p, "0401");
		put_item(&p, 2, (unsigned)n, 0, 0x83, 0);
		open_session(&d, RACK_0_SLOT_2, "00f0");
		assert_int_equal(tell(&d, DIR_C2S, message(1, 2, &p, &(struct made){ .n = 0 })), R_ALLOWED);
		p.n = data.n = 0;
		put_hex(&p, "0401");
		put_hex(&data, "ff04");
		put16(&data, (unsigned)n * 8);
		for (int i = 0; i < n; i++)
			put8(&data, 1);
		assert_int_equal(tell(&d, DIR_S2C, message(3, 2, &p, &data)), more <= 0 ? R_ALLOWED : R_S7COMM_SIZE);
	}
}

static void agreements(void **unused)
{
	struct made cr = connection(0xe0, 0, 7, RACK_0_SLOT_2), cc = connection(0xd0, 7, 3, RACK_0_SLOT_2);
	static const struct {
		const char *asked, *given;
		enum reason r;
	} all[] = {
		{ "01e0", "00f0", R_ALLOWED },	       { "01e0", "01e0", R_ALLOWED },
		{ "01e0", "01e1", R_S7COMM_RESPONSE }, { "ffff", "03c0", R_ALLOWED },
		{ "01e0", "0000", R_S7COMM_RESPONSE },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		char asked[32], given[32];
		struct desk d;

		snprintf(asked, sizeof(asked), SETUP "%s", all[i].asked);
		snprintf(given, sizeof(given), SETUP "%s", all[i].given);
		desk_whole(&d);
		assert_int_equal(say(&d, DIR_C2S, &cr), R_ALLOWED);
		assert_int_equal(say(&d, DIR_S2C, &cc), R_ALLOWED);
		assert_int_equal(job(&d, 1, asked, ""), R_ALLOWED);
		assert_int_equal(reply(&d, 1, given, ""), all[i].r);
		assert_int_equal(job(&d, 2, READ_ONE, ""), all[i].r == R_ALLOWED ? R_ALLOWED : R_S7COMM_SESSION);
	}
	{
		struct desk d;

		desk_whole(&d);
		open_session(&d, RACK_0_SLOT_2, "01e0");
		assert_int_equal(job(&d, 1, SETUP "0000", ""), R_S7COMM_FRAME);
		assert_int_equal(job(&d, 1, "f000 0000 0001 01e0", ""), R_S7COMM_FRAME);
	}
}

/* A message in several DTs is the same message wherever it is cut. More than two DTs are only
 * allowed if everything is allowed. */
static void fragments(void **unused)
{
	struct made m = message_hex(1, 2, "0502 120a1002000400008300 0000 120a1004000100008300 0040",
				    "00040020 01020304 00040010 0506");

	(void)unused;
	for (size_t cut = 1; cut < m.n; cut++)
		for (unsigned limited = 0; limited < 3; limited++) {
			struct made sent = { .n = 0 };
			struct command_row *row;
			struct desk d;

			desk_empty(&d);
			row = codes(&d, 0, UINT32_MAX);
			row->values = desk_range(&d, 1, limited == 1 ? 0x505 : 0x506);
			desk_space(&d, row, S7_FLAGS,
				   desk_ranges(&d, (uint32_t[]){ 0, 7, 8, 15, 16, 23, 24, 31, 64, 79 }, 5));
			put_dt(&sent, 0, m.b, cut);
			put_dt(&sent, 0x80, m.b + cut, m.n - cut);
			ready(&d);
			assert_int_equal(say(&d, DIR_C2S, &sent), limited == 1 ? R_S7COMM_VALUE : R_ALLOWED);
			if (cut < 2 || limited != 2)
				continue;
			sent.n = 0;
			put_dt(&sent, 0, m.b, 1);
			put_dt(&sent, 0, m.b + 1, cut - 1);
			put_dt(&sent, 0x80, m.b + cut, m.n - cut);
			ready(&d);
			assert_int_equal(say(&d, DIR_C2S, &sent), R_S7COMM_FRAGMENTS);
			desk_whole(&d);
			ready(&d);
			assert_int_equal(say(&d, DIR_C2S, &sent), R_ALLOWED);
		}
}

static void fragmented_answers(void **unused)
{
	struct made answer = message_hex(3, 2, "0401", READ_ANSWER), sent, lie = { .n = 0 };
	struct desk d;

	(void)unused;
	desk_whole(&d);
	for (size_t cut = 1; cut < answer.n; cut++) {
		sent.n = 0;
		put_dt(&sent, 0, answer.b, cut);
		put_dt(&sent, 0x80, answer.b + cut, answer.n - cut);
		ready(&d);
		assert_int_equal(job(&d, 2, READ_ONE, ""), R_ALLOWED);
		assert_int_equal(say(&d, DIR_S2C, &sent), R_ALLOWED);
	}
	put_dt(&lie, 0, "\3\0\0\7\2", 5); /* together they look like a packet */
	put_dt(&lie, 0x80, "\xf0\0", 2);
	ready(&d);
	assert_int_equal(say(&d, DIR_S2C, &lie), R_S7COMM_FRAME);
}

/* The server may ask for a block only after a download was begun; the client answers each part. */
static void download(void **unused)
{
	struct made ask = message_hex(1, 0x100, "1b" BLOCK, ""), end = message_hex(1, 0x200, "1c" BLOCK, "");
	struct made part = message_hex(3, 0x100, "1b01", "0002 00fb aabb"), done = message_hex(3, 0x200, "1c", "");
	struct made stray = message_hex(3, 0x101, "1b01", "0002 00fb aabb"),
		    short_part = message_hex(3, 0x100, "1b01", "0003 00fb aabb");
	struct desk d;

	(void)unused;
	desk_empty(&d);
	codes(&d, S7_FUNCTION(S7_REQUEST_DOWNLOAD), S7_FUNCTION(S7_DOWNLOAD_ENDED));
	ready(&d);
	assert_int_equal(tell(&d, DIR_S2C, ask), R_S7COMM_RESPONSE);
	assert_int_equal(tell(&d, DIR_C2S, part), R_S7COMM_RESPONSE);
	assert_int_equal(job(&d, 2, DOWNLOAD, ""), R_ALLOWED);
	assert_int_equal(tell(&d, DIR_S2C, ask), R_S7COMM_RESPONSE);
	assert_int_equal(reply(&d, 2, "1a", ""), R_ALLOWED);
	assert_int_equal(tell(&d, DIR_S2C, ask), R_ALLOWED);
	assert_int_equal(tell(&d, DIR_S2C, ask), R_S7COMM_RESPONSE); /* one at a time */
	assert_int_equal(tell(&d, DIR_C2S, part), R_ALLOWED);
	assert_true(d.p.function == S7_FUNCTION(S7_DOWNLOAD_BLOCK));
	assert_int_equal(tell(&d, DIR_C2S, part), R_S7COMM_RESPONSE);
	assert_int_equal(tell(&d, DIR_S2C, ask), R_ALLOWED);
	assert_int_equal(tell(&d, DIR_C2S, stray), R_S7COMM_RESPONSE);
	assert_int_equal(tell(&d, DIR_S2C, ask), R_ALLOWED);
	assert_int_equal(tell(&d, DIR_C2S, short_part), R_S7COMM_FRAME);
	assert_int_equal(tell(&d, DIR_S2C, end), R_ALLOWED);
	assert_int_equal(tell(&d, DIR_C2S, done), R_ALLOWED);
	assert_int_equal(tell(&d, DIR_S2C, ask), R_S7COMM_RESPONSE);

	/* If one of the three codes is not allowed, its message is refused, whoever sends it. */
	d.ranges[0].hi = S7_FUNCTION(S7_REQUEST_DOWNLOAD);
	ready(&d);
	assert_int_equal(job(&d, 2, DOWNLOAD, ""), R_ALLOWED);
	assert_int_equal(reply(&d, 2, "1a", ""), R_ALLOWED);
	assert_int_equal(tell(&d, DIR_S2C, ask), R_S7COMM_FUNCTION);
	assert_int_equal(tell(&d, DIR_C2S, part), R_S7COMM_FUNCTION);
	/* A refused request begins no download. */
	desk_empty(&d);
	codes(&d, S7_FUNCTION(S7_DOWNLOAD_BLOCK), S7_FUNCTION(S7_DOWNLOAD_ENDED));
	ready(&d);
	assert_int_equal(job(&d, 2, DOWNLOAD, ""), R_S7COMM_FUNCTION);
	assert_int_equal(reply(&d, 2, "1a", ""), R_S7COMM_FUNCTION);
	assert_int_equal(tell(&d, DIR_S2C, ask), R_S7COMM_RESPONSE);
}

/* A push must belong to a subscription. */
static void pushes(void **unused)
{
	static const struct {
		unsigned group, sub, by_group, by_sub;
	} all[] = {
		{ 1, 0x02, 1, 0x02 }, { 1, 0x08, 1, 0x08 }, { 1, 0x13, 1, 0x13 },
		{ 2, 0x01, 2, 0x01 }, { 4, 0x05, 4, 0x02 }, { 4, 0x11, 4, 0x02 },
		{ 4, 0x16, 4, 0x02 }, { 0, 0x00, 4, 0x02 }, { 4, 0x03, 4, 0x02 },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		uint32_t code = S7_SUB(all[i].by_group, all[i].by_sub);
		char ask[32], push[48];
		struct desk d;

		snprintf(ask, sizeof(ask), "000112 04 11 %02x %02x 00", 0x40 | all[i].by_group, all[i].by_sub);
		snprintf(push, sizeof(push), "000112 08 12 %02x %02x 01 00 00 0000", all[i].group, all[i].sub);
		desk_empty(&d);
		codes(&d, code, code);
		ready(&d);
		assert_int_equal(userdata(&d, DIR_S2C, 0, push, "ff090002 0102"), R_S7COMM_RESPONSE);
		assert_int_equal(userdata(&d, DIR_C2S, 2, ask, "ff090000"), R_ALLOWED);
		assert_int_equal(userdata(&d, DIR_S2C, 0, push, "ff090002 0102"), R_ALLOWED);
		assert_int_equal(userdata(&d, DIR_S2C, 0, push, "ff090003 0102"), R_S7COMM_RESPONSE);
		/* When the subscription is no longer allowed, its pushes do not pass. */
		d.table.digest[0]++;
		d.ranges[0].lo = d.ranges[0].hi = S7_FUNCTION(S7_READ);
		assert_int_equal(userdata(&d, DIR_S2C, 0, push, "ff090002 0102"), R_S7COMM_FUNCTION);
		ready(&d);
		assert_int_equal(userdata(&d, DIR_C2S, 2, ask, "ff090000"), R_S7COMM_FUNCTION);
	}
}

/* A message about the controller's new mode: it has a form of its own, no data, and goes to clients
 * with a subscription. */
static void transitions(void **unused)
{
	static const char *const other[] = { "010010 10 00 00 02",    "010010 10 00 00 02 00 00",
					     "010010 10 00 40 02 00", "010010 10 11 00 02 00",
					     "010010 04 00 00 02 00", "010011 10 00 00 02 00" };
	const uint32_t code = S7_SUB(S7_CPU, 2);
	struct desk d;

	(void)unused;
	desk_empty(&d);
	codes(&d, code, code);
	ready(&d);
	assert_int_equal(userdata(&d, DIR_S2C, 0, "010010 10 00 00 02 00", ""), R_S7COMM_RESPONSE);
	assert_int_equal(userdata(&d, DIR_C2S, 2, "000112 04 11 44 02 00", "ff090000"), R_ALLOWED);
	assert_int_equal(userdata(&d, DIR_S2C, 0, "010010 10 00 00 00 00", ""), R_ALLOWED);
	assert_int_equal(userdata(&d, DIR_S2C, 0, "010010 10 00 00 02 01", ""), R_ALLOWED);
	assert_int_equal(userdata(&d, DIR_S2C, 0, "010010 10 00 00 02 01", "ff090000"), R_S7COMM_FRAME);
	for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++)
		assert_int_equal(userdata(&d, DIR_S2C, 0, other[i], ""), R_S7COMM_FRAME);
	assert_int_equal(userdata(&d, DIR_C2S, 0, "010010 10 00 00 02 00", ""), R_S7COMM_FRAME);
}

/* A limited number of requests may be open; answers come in any order; the oldest requests are
 * forgotten. */
static void open_requests(void **unused)
{
	struct desk d;

	(void)unused;
	desk_whole(&d);
	ready(&d);
	for (unsigned i = 0; i < 16; i++)
		assert_int_equal(job(&d, 100 + i, READ_ONE, ""), R_ALLOWED);
	assert_int_equal(job(&d, 200, READ_ONE, ""), R_S7COMM_PENDING);
	assert_int_equal(reply(&d, 107, "0401", READ_ANSWER), R_ALLOWED);
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(job(&d, 300 + i, READ_ONE, ""), R_ALLOWED);
	assert_int_equal(job(&d, 400, READ_ONE, ""), R_S7COMM_PENDING);
	assert_int_equal(reply(&d, 115, "0401", READ_ANSWER), R_ALLOWED);
	assert_int_equal(reply(&d, 100, "0401", READ_ANSWER), R_S7COMM_RESPONSE); /* forgotten */
	assert_int_equal(reply(&d, 307, "0401", READ_ANSWER), R_ALLOWED);

	ready(&d); /* a job and a userdata request with the same number */
	assert_int_equal(job(&d, 1, READ_ONE, ""), R_ALLOWED);
	assert_int_equal(userdata(&d, DIR_C2S, 1, "000112 04 11 44 01 00", "0a000000"), R_ALLOWED);
	assert_int_equal(userdata(&d, DIR_S2C, 1, "000112 08 12 84 01 01 00 00 0000", "0a000000"), R_ALLOWED);
	assert_int_equal(reply(&d, 1, "0401", READ_ANSWER), R_ALLOWED);
}

/* An error has no data, and its function may be missing. */
static void errors(void **unused)
{
	struct desk d;
	struct made ack;

	(void)unused;
	desk_whole(&d);
	for (unsigned kind = 2; kind <= 3; kind++)
		for (unsigned with = 0; with < 4; with++) {
			static const char *const forms[][2] = {
				{ "", "" }, { "04", "" }, { "05", "" }, { "04", "0a" }
			};

			ready(&d);
			assert_int_equal(job(&d, 2, READ_ONE, ""), R_ALLOWED);
			ack = message_hex(kind, 2, forms[with][0], forms[with][1]);
			ack.b[10] = 0x85;
			assert_int_equal(tell(&d, DIR_S2C, ack), with < 2 ? R_ALLOWED : R_S7COMM_RESPONSE);
			assert_true(d.p.exception);
		}
}

/* A session met half-way: only the rows decide, the target is unknown, and an answer may belong to
 * an unseen request. */
static void halfway(void **unused)
{
	struct desk d;

	(void)unused;
	desk_empty(&d);
	codes(&d, S7_FUNCTION(S7_READ), S7_FUNCTION(S7_READ));
	pending_missed(&s7comm_enforcer, d.state, false);
	assert_int_equal(reply(&d, 9, "0401", READ_ANSWER), R_S7COMM_UNSEEN);
	assert_int_equal(reply(&d, 9, "0501", "ff"), R_S7COMM_FUNCTION);
	assert_int_equal(job(&d, 2, READ_ONE, ""), R_ALLOWED);
	assert_int_equal(reply(&d, 2, "0401", READ_ANSWER), R_ALLOWED);
	d.rows[0].targets[0] = desk_range(&d, 0, 255);
	assert_int_equal(job(&d, 3, READ_ONE, ""), R_S7COMM_TARGET);
	d.rows[0].targets[0].any = true;
	pending_missed(&s7comm_enforcer, d.state, true);
	assert_int_equal(reply(&d, 9, "0401", READ_ANSWER), R_S7COMM_UNREAD);
}

/* Requests that passed are judged again with a copy of the state that has missed something: this
 * must not refuse them. */
static void judged_again(void **unused)
{
	struct made cr = connection(0xe0, 0, 7, RACK_0_SLOT_2), other = connection(0xe0, 0, 7, "c2020103");
	struct desk d;

	(void)unused;
	desk_whole(&d);
	ready(&d);
	pending_missed(&s7comm_enforcer, d.state, false);
	assert_int_equal(say(&d, DIR_C2S, &cr), R_ALLOWED);
	assert_int_equal(say(&d, DIR_C2S, &other), R_S7COMM_SESSION);
	assert_int_equal(job(&d, 1, SETUP "01e0", ""), R_ALLOWED);
	assert_int_equal(job(&d, 2, READ_ONE, ""), R_ALLOWED);
}

/* Whether the bytes may pass to a server that has discarded the beginning of a request. */
static bool passes(struct desk *d, uint64_t at, size_t carried, bool late, const struct made *b)
{
	d->p = (struct pdu){ .dir = DIR_C2S };
	return s7comm_enforcer.segment(d->state, at, carried, late, bytes_of(b->b, b->n), desk_by(d), &d->p);
}

/* A request to stop, in `parts` DTs, the first with `first` bytes, followed by `empty` empty
 * ones. */
static struct made stop_in(unsigned parts, size_t first, unsigned empty)
{
	struct made m = message_hex(1, 9, "29 0000000000 09 505f50524f4752414d", ""), out = { .n = 0 };
	size_t at = 0;

	for (unsigned k = 0; k < parts; k++) {
		size_t n = k + 1 == parts ? m.n - at : k == 0 ? first : 1;

		put_dt(&out, k + 1 == parts ? 0x80 : 0, m.b + at, n);
		at += n;
		for (unsigned e = 0; k == 0 && e < empty; e++)
			put_dt(&out, 0, NULL, 0);
	}
	return out;
}

/* A write with these bytes among its values, `before` bytes behind the first value. */
static struct made smuggling_this(size_t before, struct made stop)
{
	struct made p = { .n = 0 }, data = { .n = 0 }, m, out = { .n = 0 };

	put_hex(&p, "0501");
	put_item(&p, 2, (unsigned)(before + stop.n + 3), 0, 0x83, 0);
	put_hex(&data, "0004");
	put16(&data, (unsigned)(before + stop.n + 3) * 8);
	for (size_t i = 0; i < before; i++)
		put8(&data, 7);
	put(&data, stop.b, stop.n);
	put_hex(&data, "070707");
	m = message(1, 2, &p, &data);
	put_dt(&out, 0x80, m.b, m.n);
	return out;
}

static struct made smuggling(size_t before)
{
	return smuggling_this(before, stop_in(1, 0, 0));
}

/* The same in several DTs, with every end of the first DT, and with empty ones between; cut in two
 * ways around the hidden request. */
static void cuts_before_several(void **unused)
{
	struct desk d;

	(void)unused;
	desk_empty(&d);
	codes(&d, S7_FUNCTION(S7_READ), S7_FUNCTION(S7_WRITE));
	for (unsigned parts = 2; parts < 6; parts++)
		for (size_t first = 1; first < 20; first++)
			for (unsigned empty = 0; empty < 3; empty++) {
				struct made b = smuggling_this(11, stop_in(parts, first, empty)), head = b;

				ready(&d);
				assert_true(passes(&d, 1000, 20, false, &b));
				assert_false(passes(&d, 1000, 20, true, &b));
				assert_int_equal(d.p.reason, R_S7COMM_CUT);
				/* The first segment has only the bytes that show what it is; the
				 * rest comes in the next segment. */
				head.n = b.n - 4;
				ready(&d);
				assert_true(!passes(&d, 1000, 20, true, &head) || !passes(&d, 1000, head.n, false, &b));
			}
}

/* The second DT of a message, which is a message by itself for a server that gave up the first. */
static void cuts_before_a_second(void **unused)
{
	struct made m = smuggling(0), whole = { .n = 0 }, b = { .n = 0 };
	struct desk d;

	(void)unused;
	desk_empty(&d);
	codes(&d, S7_FUNCTION(S7_READ), S7_FUNCTION(S7_WRITE));
	put(&whole, m.b + 7, m.n - 7 - 3); /* the header of a DT; the bytes that follow the stop */
	put_dt(&b, 0, whole.b, whole.n - 26);
	put_dt(&b, 0x80, whole.b + whole.n - 26, 26);
	ready(&d);
	assert_true(passes(&d, 1000, 0, true, &b));
	assert_true(passes(&d, 1000, b.n - 33, false, &b));
	assert_false(passes(&d, 1000, b.n - 33, true, &b));
	assert_int_equal(d.p.reason, R_S7COMM_CUT);
}

/* A server that takes what one read() returns as a packet does not wait for the rest that its
 * length announces. */
static void lengths_that_say_more(void **unused)
{
	struct made messages[] = { message_hex(1, 3, READ_ONE, ""),
				   message_hex(7, 3, "00011204 11 44 01 00", "0a000000") };
	struct desk d;

	(void)unused;
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++)
		for (unsigned more = 1; more < 300; more++) {
			struct made b = { .n = 0 }, head;

			put_dt(&b, 0x80, messages[i].b, messages[i].n);
			b.b[2] = (uint8_t)((b.n + more) >> 8);
			b.b[3] = (uint8_t)(b.n + more);
			head = b;
			desk_empty(&d);
			codes(&d, S7_FUNCTION(S7_READ), S7_FUNCTION(S7_WRITE));
			for (head.n = 8; head.n <= b.n; head.n++) {
				ready(&d);
				assert_int_equal(passes(&d, 1000, 0, false, &head), head.n < b.n);
			}
			assert_int_equal(d.p.reason, R_S7COMM_FRAME);
		}
}

static void cuts(void **unused)
{
	struct made whole = { .n = 0 }, tail = { .n = 0 }, m, next = { .n = 0 };
	struct desk d;

	(void)unused;
	desk_empty(&d);
	codes(&d, S7_FUNCTION(S7_READ), S7_FUNCTION(S7_WRITE));
	for (size_t before = 0; before < 40; before++) {
		struct made b = smuggling(before);

		ready(&d);
		assert_true(passes(&d, 1000, 0, true, &b));   /* the request comes whole */
		assert_true(passes(&d, 1000, 20, false, &b)); /* the rest comes at once */
		assert_false(passes(&d, 1000, 20, true, &b));
		assert_int_equal(d.p.reason, R_S7COMM_CUT);
		/* An answer to a request from after the cut shows that the server has not lost its
		 * place. */
		ready(&d);
		m = message_hex(1, 3, READ_ONE, "");
		whole.n = 0;
		put_dt(&whole, 0x80, m.b, m.n);
		assert_true(passes(&d, 1000, 20, true, &whole));
		assert_int_equal(job(&d, 3, READ_ONE, ""), R_ALLOWED);
		assert_int_equal(reply(&d, 3, "0401", READ_ANSWER), R_ALLOWED);
		assert_true(passes(&d, 2000, 0, false, &b));
	}
	/* The hidden request begins at the end of one request, and its header goes on in the next
	 * one, whose first bytes are its lengths. */
	m = message_hex(1, 3, "0501 120a1002000d00008300 0000", "00040068 07 0334 02f0 80 32 01 00000005");
	m.b[m.n - 13 + 0] = 3;
	put_dt(&tail, 0x80, m.b, m.n);
	m = message_hex(1, 4, READ_ONE, "");
	put_dt(&next, 0x80, m.b, m.n);
	ready(&d);
	assert_true(passes(&d, 1000, 9, true, &tail));
	tail.b[tail.n - 11] = 3;
	tail.b[tail.n - 10] = (uint8_t)(7 + 10 + 0x300 + next.n);
	ready(&d);
	assert_true(passes(&d, 1000, 9, true, &tail));
	assert_false(passes(&d, 1000 + tail.n, 0, false, &next));
	/* It is found even if the first request came under a policy that allowed everything. */
	ready(&d);
	d.grants[0].whole = true;
	assert_true(passes(&d, 1000, 9, true, &tail));
	d.grants[0].whole = false;
	assert_false(passes(&d, 1000 + tail.n, 0, false, &next));
	desk_whole(&d);
	ready(&d);
	assert_true(passes(&d, 1000, 9, true, &tail));
	assert_true(passes(&d, 1000 + tail.n, 0, false, &next));
}

/* A worker that begins with what another one kept. */
static bool change_worker(struct desk *d)
{
	uint8_t kept[ONCE_KEPT];
	struct outbuf o = outbuf_of(kept, sizeof(kept));

	if (!s7comm_enforcer.keep(d->state, &o) || o.failed)
		return false;
	desk_reset(d);
	return s7comm_enforcer.again(d->state, bytes_of(kept, o.len));
}

static void another_worker(void **unused)
{
	char many[15 + 30 * 24] = "0414";
	struct desk d;

	(void)unused;
	desk_empty(&d);
	codes(&d, S7_FUNCTION(S7_READ), S7_FUNCTION(S7_READ))->targets[0] = desk_range(&d, 2, 2);
	open_session(&d, RACK_0_SLOT_2, "0070");
	assert_true(change_worker(&d));
	/* the new worker knows the slot, and the PDU size that was agreed on */
	assert_int_equal(job(&d, 1, READ_ONE, ""), R_ALLOWED);
	assert_int_equal(d.p.targets[0], 2);
	assert_false(change_worker(&d)); /* a request waits */
	assert_int_equal(reply(&d, 1, "0401", READ_ANSWER), R_ALLOWED);
	assert_true(change_worker(&d));
	/* nothing was missed */
	assert_int_equal(reply(&d, 3, "0401", READ_ANSWER), R_S7COMM_RESPONSE);
	for (unsigned i = 0; i < 20; i++)
		snprintf(many + strlen(many), sizeof(many) - strlen(many), "120a10020001000083000000");
	assert_int_equal(job(&d, 2, many, ""), R_S7COMM_SIZE);
	d.rows[0].targets[0] = desk_range(&d, 3, 3);
	assert_int_equal(job(&d, 3, READ_ONE, ""), R_S7COMM_TARGET);
	/* before there was an agreement */
	desk_whole(&d);
	desk_reset(&d);
	assert_false(change_worker(&d));
}

/* The server may send blocks (BSEND) if rows let the client send any block; the client answers
 * each. */
static void blocks_from_the_server(void **unused)
{
	const char *push = "000112 08 12 46 01 01 00 00 0000", *answer = "000112 08 12 86 01 00 00 00 0000";
	struct desk d;

	(void)unused;
	for (unsigned k = 0; k < 3; k++) {
		desk_empty(&d);
		if (k == 0)
			codes(&d, S7_FUNCTION(S7_READ), S7_FUNCTION(S7_READ));
		else if (k == 1)
			codes(&d, S7_SUB(S7_PBC, 0), S7_SUB(S7_PBC, 255));
		else
			desk_whole(&d);
		ready(&d);
		assert_int_equal(userdata(&d, DIR_C2S, 5, answer, "0a000000"), R_S7COMM_RESPONSE);
		ready(&d);
		assert_int_equal(userdata(&d, DIR_S2C, 5, push, "ff090002 0102"),
				 k == 0 ? R_S7COMM_FUNCTION : R_ALLOWED);
		assert_int_equal(userdata(&d, DIR_C2S, 5, answer, "0a000000"), k == 0 ? R_S7COMM_RESPONSE : R_ALLOWED);
		assert_int_equal(userdata(&d, DIR_C2S, 5, answer, "0a000000"), R_S7COMM_RESPONSE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order),
		cmocka_unit_test(slots),
		cmocka_unit_test(observed_first),
		cmocka_unit_test(agreed_sizes),
		cmocka_unit_test(agreements),
		cmocka_unit_test(fragments),
		cmocka_unit_test(fragmented_answers),
		cmocka_unit_test(download),
		cmocka_unit_test(pushes),
		cmocka_unit_test(blocks_from_the_server),
		cmocka_unit_test(transitions),
		cmocka_unit_test(open_requests),
		cmocka_unit_test(errors),
		cmocka_unit_test(halfway),
		cmocka_unit_test(judged_again),
		cmocka_unit_test(cuts),
		cmocka_unit_test(cuts_before_several),
		cmocka_unit_test(cuts_before_a_second),
		cmocka_unit_test(lengths_that_say_more),
		cmocka_unit_test(another_worker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
