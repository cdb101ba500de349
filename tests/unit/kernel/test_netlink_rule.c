/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LINK: appliance/kernel/rule.c appliance/kernel/expr.c
 * LINK: appliance/kernel/image.c
 * LINK: policy/ir/skeleton/%.c policy/ir/names.c appliance/base/arena.c appliance/base/err.c
 * LINK: appliance/wire/reason.c
 * LIBS: libnftnl libmnl
 */
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <string.h>

#include "appliance/kernel/rule.h"

/* The texts of one rule of the policy, one a line. */
static int texts(const struct ir_rule *r, enum kernel_lack q, char *out, size_t size)
{
	struct nftnl_rule *rules[RULE_FAN];
	int n = rule_build(r, q, rules);
	size_t at = 0;

	out[0] = '\0';
	for (int i = 0; i < n; i++) {
		assert_true(rule_text(rules[i], out + at, size - at));
		at += strlen(out + at);
		assert_true(at + 2 < size);
		if (i + 1 < n)
			out[at++] = '\n';
		out[at] = '\0';
		rule_free(rules[i]);
	}
	return n;
}

static void live_lookup(void **state)
{
	struct ir_rule r = { .chain = CHAIN_FORWARD,
			     .n = 2,
			     .stmts = { { .kind = IR_LIVE }, { .kind = IR_GOTO_LANE } } };
	char text[4096];

	(void)state;
	assert_int_equal(texts(&r, LACKS_QUEUE, text, sizeof(text)), 1);
	assert_string_equal(text,
			    "[ meta load iif => reg 1 ] [ ct load direction => reg 9 ] [ ct load mark => reg 10 ] "
			    "[ bitwise reg 10 = ( reg 10 & 0xff3fffff ) ^ 0x00000000 ] "
			    "[ lookup reg 1 set live dreg 1 0x0 ] [ meta set mark with reg 1 ] "
			    "[ meta load mark => reg 1 ] [ bitwise reg 1 = ( reg 1 & 0xbf000000 ) ^ 0x00000000 ] "
			    "[ lookup reg 1 set lanes dreg 0 0x0 ]");
}

/* A report has a rule of its own: its rate limit must never prevent the count or the drop. */
static void record_apart(void **state)
{
	struct ir_rule r = {
		.chain = CHAIN_POST,
		.n = 4,
		.stmts = { { .kind = IR_MARK, .a = 0xff, .b = 1 },
			   { .kind = IR_COUNT, .a = R_STALE },
			   { .kind = IR_LOG, .a = R_STALE, .b = 50 },
			   { .kind = IR_DROP } },
	};
	char text[4096], *second;

	(void)state;
	assert_int_equal(texts(&r, LACKS_QUEUE, text, sizeof(text)), 2);
	second = strchr(text, '\n');
	assert_non_null(second);
	*second++ = '\0';
	assert_non_null(strstr(text, "limit"));
	assert_non_null(strstr(text, "prefix stale group 1"));
	assert_null(strstr(text, "drop"));
	assert_null(strstr(text, "cnt"));
	assert_null(strstr(second, "limit"));
	assert_non_null(strstr(second, "stale"));
	assert_non_null(strstr(second, "drop"));
	assert_non_null(strstr(second, "meta load mark"));
}

static void options_fan_out(void **state)
{
	struct ir_rule r = { .chain = CHAIN_NEW, .n = 2, .stmts = { { .kind = IR_IP_OPTIONS }, { .kind = IR_DROP } } };
	static const unsigned headers[] = { 0, 43, 44, 51, 60 };
	char text[4096];

	(void)state;
	assert_int_equal(texts(&r, LACKS_QUEUE, text, sizeof(text)), 6);
	assert_non_null(strstr(text, "[ payload load 1b @ network header + 0 => reg 1 ]"));
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		char want[96];

		snprintf(want, sizeof(want),
			 "[ payload load 1b @ network header + 6 => reg 1 ] [ cmp eq reg 1 0x%08x ]", headers[i]);
		assert_non_null(strstr(text, want));
	}
}

static void reverse_path(void **state)
{
	struct ir_rule r = { .chain = CHAIN_NEW, .n = 2, .stmts = { { .kind = IR_UNROUTED }, { .kind = IR_DROP } } };
	char text[4096];

	(void)state;
	assert_int_equal(texts(&r, LACKS_QUEUE, text, sizeof(text)), 1);
	assert_non_null(strstr(text, "[ fib saddr . iif oif present => reg 1 ] [ cmp eq reg 1 0x00000000 ]"));
}

/* The bytes of the target are part of the text, because otherwise two queues could not be
 * distinguished when the rules are read back. */
static void queues(void **state)
{
	struct ir_rule r = { .chain = CHAIN_CUT, .n = 1, .stmts = { { .kind = IR_QUEUE, .a = 3, .b = 1 } } };
	char one[4096], other[4096];

	(void)state;
	assert_int_equal(texts(&r, LACKS_QUEUE, one, sizeof(one)), 1);
	/* 1024 = 1000 + 3 * 8, 8, bypass */
	assert_non_null(strstr(one, "target name NFQUEUE rev 3 info 0004080001000000"));
	r.stmts[0].b = 0;
	assert_int_equal(texts(&r, LACKS_QUEUE, other, sizeof(other)), 1);
	assert_string_not_equal(one, other);
	/* Unanswered packets of a closed lane must not pass: no flag may be set that was not asked
	 * for. */
	assert_int_equal(texts(&r, LACKS_NOTHING, one, sizeof(one)), 1);
	assert_string_equal(one, "[ queue num 1024-1031 ]");
	r.stmts[0].b = 1;
	assert_int_equal(texts(&r, LACKS_NOTHING, one, sizeof(one)), 1);
	assert_string_equal(one, "[ queue num 1024-1031 bypass ]");
	/* Of one slot alone. */
	r.stmts[0].c = 1;
	assert_int_equal(texts(&r, LACKS_NOTHING, one, sizeof(one)), 1);
	assert_string_equal(one, "[ queue num 1024 bypass ]");
	assert_int_equal(texts(&r, LACKS_QUEUE, other, sizeof(other)), 1);
	assert_non_null(strstr(other, "target name NFQUEUE rev 3 info 0004010001000000"));
}

/* A kernel that cannot remove a TCP option cannot drop packets because of it either. */
static void one_path_only(void **state)
{
	struct ir_rule strip = { .chain = CHAIN_ADMIT, .n = 1, .stmts = { { .kind = IR_TCP_STRIP, .a = 30 } } },
		       left = { .chain = CHAIN_ADMIT,
				.n = 2,
				.stmts = { { .kind = IR_TCP_OPTION, .a = 30 }, { .kind = IR_DROP } } };
	char text[4096];

	(void)state;
	assert_int_equal(texts(&strip, LACKS_NOTHING, text, sizeof(text)), 1);
	assert_string_equal(text, "[ exthdr reset tcpopt 30 ]");
	assert_int_equal(texts(&left, LACKS_QUEUE, text, sizeof(text)), 1);
	assert_non_null(
		strstr(text, "[ exthdr load tcpopt 1b @ 30 + 0 present => reg 1 ] [ cmp eq reg 1 0x00000001 ]"));
	assert_int_equal(texts(&strip, LACKS_STRIP, text, sizeof(text)), 0);
	assert_int_equal(texts(&left, LACKS_STRIP | LACKS_QUEUE, text, sizeof(text)), 0);
}

static void cell_keys(void **state)
{
	static const struct {
		enum ir_set set;
		enum ir_key key;
		const char *holds;
	} cases[] = {
		{ SET_EXACT4, KEY_PACKET,
		  "[ payload load 4b @ network header + 12 => reg 1 ] [ payload load 4b @ network header + 16 => reg "
		  "9 ] [ meta load l4proto => reg 10 ] [ payload load 2b @ transport header + 2 => reg 11 ] "
		  "[ meta load iif => reg 2 ] [ meta load oif => reg 13 ] [ lookup reg 1 set exact4" },
		{ SET_EXACT4, KEY_PACKET_BACK,
		  "[ payload load 4b @ network header + 16 => reg 1 ] [ payload load 4b @ network header + 12 => reg "
		  "9 ] [ meta load l4proto => reg 10 ] [ payload load 2b @ transport header + 0 => reg 11 ] "
		  "[ meta load oif => reg 2 ] [ meta load iif => reg 13 ] [ lookup reg 1 set exact4" },
		{ SET_RANGE6, KEY_ORIGINAL_BACK,
		  "[ ct load src_ip6 => reg 1 , dir original ] [ ct load dst_ip6 => reg 2 , dir original ] "
		  "[ meta load l4proto => reg 3 ] [ ct load proto_dst => reg 17 , dir original ] "
		  "[ meta load oif => reg 18 ] [ meta load iif => reg 19 ] [ lookup reg 1 set range6" },
	};
	char text[4096];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ir_rule r = {
			.chain = CHAIN_INVALID,
			.n = 2,
			.stmts = { { .kind = IR_L4PROTO, .a = 6 },
				   { .kind = IR_KNOWN, .set = cases[i].set, .a = cases[i].key } },
		};

		assert_int_equal(texts(&r, LACKS_QUEUE, text, sizeof(text)), 1);
		if (strstr(text, cases[i].holds) == NULL)
			fail_msg("%s\n does not hold\n%s", text, cases[i].holds);
	}
}

static void nonsense_is_refused(void **state)
{
	static const struct ir_stmt wrong[] = {
		{ .kind = IR_IN_SET, .set = SET_AGREE, .a = KEY_RESET },
		{ .kind = IR_IN_SET, .set = SET_RESETS, .a = KEY_AGREE },
		{ .kind = IR_IN_SET, .set = SET_LIVE, .a = KEY_AGREE },
		{ .kind = IR_ADMIT, .set = SET_AGREE, .a = KEY_PACKET },
		{ .kind = IR_ADMIT, .set = SET_EXACT4, .a = 99 },
		{ .kind = (enum ir_stmt_kind)99 },
	};
	char text[4096];

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct ir_rule r = { .chain = CHAIN_NEW, .n = 1, .stmts = { wrong[i] } };

		assert_true(texts(&r, LACKS_QUEUE, text, sizeof(text)) < 0);
	}
}

static void whole_skeleton(void **state)
{
	const struct ir_limits limits = { .list = { 60, 3600 | IR_LIMIT_IDLE }, .n = 2 };
	struct arena *a = arena_new(16u << 20);
	struct ir_rule *rules;
	char text[4 * RULE_TEXT];
	size_t n;

	(void)state;
	assert_non_null(a);
	n = ir_skeleton(~((uint64_t)1 << 63), (struct ir_maps){ IR_LAYERS, IR_PARTS }, &limits, a, &rules);
	assert_true(n > 60);
	for (size_t i = 0; i < n; i++) {
		assert_true(texts(&rules[i], LACKS_QUEUE, text, sizeof(text)) > 0);
		assert_true(texts(&rules[i], LACKS_NOTHING, text, sizeof(text)) > 0);
	}
	arena_free(a);
}

/* Each session is assigned a part at random. There are so few parts that a search of all sessions
 * soon visits each. */
static void parts_are_drawn(void **state)
{
	struct ir_rule r = {
		.chain = CHAIN_SHARE,
		.n = 2,
		.stmts = { { .kind = IR_FAMILY, .a = 4 },
			   { .kind = IR_CROWD, .set = SET_SHARE4, .a = KEY_SHARE_PAIR, .b = IR_PAIR_PART } }
	};
	struct nftnl_rule *rules[RULE_FAN];
	char text[RULE_TEXT];

	(void)state;
	assert_int_equal(rule_build(&r, LACKS_NOTHING, rules), 1);
	assert_true(rule_text(rules[0], text, sizeof(text)));
	assert_non_null(strstr(text, "= random mod 512 ]"));
	assert_non_null(strstr(text, "[ dynset add reg_key 1 set share4 expr [ connlimit count 16 flags 1 ] ]"));
	rule_free(rules[0]);
	assert_true(IR_PAIR_PART <= 64 && IR_ZONE_PART <= 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(live_lookup),	   cmocka_unit_test(record_apart),
		cmocka_unit_test(options_fan_out), cmocka_unit_test(reverse_path),
		cmocka_unit_test(queues),	   cmocka_unit_test(one_path_only),
		cmocka_unit_test(cell_keys),	   cmocka_unit_test(nonsense_is_refused),
		cmocka_unit_test(whole_skeleton),  cmocka_unit_test(parts_are_drawn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
