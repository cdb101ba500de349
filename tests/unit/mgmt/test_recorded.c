/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a policy judges recorded operations: what is certain, and the two extremes where a record
 * does not say enough.
 *
 * LINK: mgmt/cli/policy/recorded.c mgmt/words/command.c mgmt/cli/words/render.c mgmt/state/read.c
 * LINK: mgmt/cli/screen/table.c mgmt/cli/screen/wrap.c
 * LINK: $(POLICY_SRC) $(BASE_SRC) $(WIRE_SRC)
 * LIBS: libconfig nettle jansson
 */
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <stdlib.h>

#include "mgmt/cli/policy/means.h"
#include "tests/unit/policy/policy_text.h"

#define NOW 1800000000u
#define SITE                                                                                                           \
	"language_version = 1;\nzones = { a = { interfaces = [\"lan0\"]; networks = [\"10.1.0.0/16\", "                \
	"\"2001:db8:1::/64\"]; };"                                                                                     \
	" b = { interfaces = [\"lan1\"]; networks = [\"10.2.0.0/16\", \"2001:db8:2::/64\"]; }; };\n"
#define CONDUIT(more)                                                                                                  \
	"conduits = ( { name = \"c\"; from = \"a\"; to = \"b\"; services = [\"s\"]; purpose = \"p\"; owner = \"o\";"   \
	" review_by = \"2099-03-31\"; " more " } );\n"

static struct policy_text t;
static char policy[2048];
static struct memory_text text = { "site.cfg", policy };

static void compiled(void)
{
	policy_text_begin(&t, &text, 1);
	if (!policy_check(&t.c, &t.loader, "site.cfg") || !policy_lower(&t.c)) {
		diags_print(stderr, &t.c.diags, t.c.sources, t.c.n_sources, LANG_EN);
		fail();
	}
}

/* Adds a service with one row. */
static void row(const char *protocol, const char *port, const char *keys)
{
	snprintf(policy, sizeof(policy),
		 SITE "services = { s = { protocol = \"%s\"; ports = [\"%s\"]; allow = ( { %s } ); }; };\n" CONDUIT(""),
		 protocol, port, keys);
	compiled();
}

static void expect(const char *record, uint64_t least, uint64_t most, enum reason reason)
{
	json_t *e = json_loads(record, 0, NULL);
	struct recorded r;

	assert_non_null(e);
	assert_true(recorded_judge(t.c.ir, e, NOW, &r));
	if (r.least != least || r.most != most || r.reason != reason)
		fail_msg("%s: %llu to %llu, %s", record, (unsigned long long)r.least, (unsigned long long)r.most,
			 reason_word(r.reason));
	json_decref(e);
}

#define FLOW                                                                                                           \
	"\"client\":\"10.1.0.1:0\",\"server\":\"10.2.0.1:502\",\"transport\":\"tcp\",\"protocol\":\"modbus\","         \
	"\"count\":9,\"sessions\":2,"
#define READ(unit, first, n, places)                                                                                   \
	"{" FLOW "\"unit\":" unit ",\"function\":3,\"space\":\"holding\",\"address\":" first ",\"quantity\":" n        \
	",\"places\":\"" places "\"}"
#define WRITE(address, low, high)                                                                                      \
	"{" FLOW "\"unit\":1,\"function\":6,\"space\":\"holding\",\"address\":" address                                \
	",\"quantity\":1,\"places\":\"exact\",\"wrote\":{\"low\":" low ",\"high\":" high "}}"

static void certain(void **state)
{
	(void)state;
	row("modbus", "tcp/502", "commands = [\"read\"]; units = [1]; holding = [\"0-99\"];");
	expect(READ("1", "0", "100", "exact"), 0, 0, R_ALLOWED);
	expect(READ("1", "0", "101", "exact"), 9, 9, R_MODBUS_ADDRESS);
	expect(READ("2", "0", "1", "exact"), 9, 9, R_MODBUS_UNIT);
	expect(WRITE("0", "1", "1"), 9, 9, R_MODBUS_FUNCTION);
	/* The same rows apply to IPv6, and to no other port, host or transport. */
	expect("{\"client\":\"[2001:db8:1::1]:0\",\"server\":\"[2001:db8:2::1]:502\",\"transport\":\"tcp\","
	       "\"protocol\":\"modbus\",\"count\":9,\"unit\":1,\"function\":3,\"space\":\"holding\",\"address\":5,"
	       "\"quantity\":1}",
	       0, 0, R_ALLOWED);
	expect("{\"client\":\"10.1.0.1:0\",\"server\":\"10.2.0.1:503\",\"transport\":\"tcp\",\"protocol\":\"modbus\","
	       "\"count\":9,\"unit\":1,\"function\":3}",
	       9, 9, R_NO_CONDUIT);
	expect("{\"client\":\"10.2.0.1:0\",\"server\":\"10.1.0.1:502\",\"transport\":\"tcp\",\"protocol\":\"modbus\","
	       "\"count\":9,\"unit\":1,\"function\":3}",
	       9, 9, R_NO_CONDUIT);
	expect("{\"client\":\"10.1.0.1:0\",\"server\":\"10.2.0.1:502\",\"transport\":\"udp\",\"protocol\":\"modbus\","
	       "\"count\":9,\"unit\":1,\"function\":3}",
	       9, 9, R_NO_CONDUIT);
	policy_text_end(&t);
}

/* The range of several operations: all of them are allowed, none, or an unknown number. Older
 * records without a range count as unknown. */
static void spans(void **state)
{
	(void)state;
	row("modbus", "tcp/502", "commands = [\"read\"]; units = [1]; holding = [\"0-99\", \"200-299\"];");
	expect(READ("1", "0", "100", "span"), 0, 0, R_ALLOWED);
	expect(READ("1", "0", "101", "span"), 1, 9, R_MODBUS_ADDRESS);
	expect(READ("1", "50", "200", "span"), 0, 9,
	       R_MODBUS_ADDRESS); /* both ends are allowed, addresses between them are not */
	expect(READ("1", "50", "200", "exact"), 9, 9, R_MODBUS_ADDRESS);
	expect("{" FLOW "\"unit\":1,\"function\":3,\"space\":\"holding\",\"address\":0,\"quantity\":101}", 1, 9,
	       R_MODBUS_ADDRESS);
	expect(READ("2", "0", "101", "span"), 9, 9, R_MODBUS_UNIT);
	policy_text_end(&t);
}

static void values(void **state)
{
	(void)state;
	row("modbus", "tcp/502",
	    "commands = [\"write\"]; units = [1]; holding = [\"0-99\"]; values = [\"0-5\", \"9\"];");
	expect(WRITE("1", "0", "5"), 0, 0, R_ALLOWED);
	expect(WRITE("1", "6", "6"), 9, 9, R_MODBUS_VALUE);
	expect(WRITE("1", "5", "6"), 1, 9, R_MODBUS_VALUE);
	/* possibly no operation wrote to 6, 7 or 8 */
	expect(WRITE("1", "5", "9"), 0, 9, R_MODBUS_VALUE);
	expect(WRITE("100", "5", "9"), 9, 9, R_MODBUS_ADDRESS);
	/* The record does not have the written value, as for a mask write. */
	expect("{" FLOW
	       "\"unit\":1,\"function\":22,\"space\":\"holding\",\"address\":1,\"quantity\":1,\"places\":\"exact\"}",
	       0, 9, R_MODBUS_VALUE);
	policy_text_end(&t);
}

#define S7_WRITE(address, bits, low, high)                                                                             \
	"{\"client\":\"10.1.0.1:0\",\"server\":\"10.2.0.1:102\",\"transport\":\"tcp\",\"protocol\":\"s7comm\","        \
	"\"count\":9,\"sessions\":2,\"slot\":2,\"function\":66816,\"space\":\"db\",\"address\":" address               \
	",\"quantity\":" bits ",\"places\":\"exact\",\"wrote\":{\"low\":" low ",\"high\":" high "}}"

/* Clients state the width of a value, and records do not have it: a value that might be a part of a
 * wider one is uncertain. */
static void sizes(void **state)
{
	const struct number_range *r;

	(void)state;
	row("s7comm", "tcp/102", "functions = [\"write_var\"]; db = [\"10.42-43\", \"10.40-41\"]; values = [\"0-5\"];");
	assert_int_equal(t.c.ir->table.n_spaces, 1);
	/* the ranges are adjacent, and stay two */
	assert_int_equal(t.c.ir->table.spaces[0].numbers.n, 2);
	r = &t.c.ir->table.ranges[t.c.ir->table.spaces[0].numbers.first];
	assert_true(r[0].lo == 167772480 && r[0].hi == r[0].lo + 15 && r[1].lo == r[0].hi + 1 &&
		    r[1].hi == r[1].lo + 15);
	expect(S7_WRITE("167772480", "16", "1", "1"), 0, 9, R_S7COMM_VALUE);
	expect(S7_WRITE("167772480", "16", "6", "6"), 9, 9, R_S7COMM_VALUE);
	expect(S7_WRITE("167772512", "16", "1", "1"), 9, 9, R_S7COMM_ADDRESS);
	policy_text_end(&t);
	row("s7comm", "tcp/102", "functions = [\"write_var\"]; db = [\"10.42-43\", \"10.40-41\"];");
	assert_int_equal(t.c.ir->table.spaces[0].numbers.n, 1);
	expect(S7_WRITE("167772480", "16", "1", "1"), 0, 0, R_ALLOWED);
	policy_text_end(&t);
}

/* A record does not show whether number 0 was a broadcast or a device. */
static void whom(void **state)
{
	(void)state;
	row("modbus", "tcp/502", "commands = [\"read\"]; holding = [\"0-99\"];");
	expect(READ("7", "0", "1", "exact"), 0, 0, R_ALLOWED);
	expect(READ("0", "0", "1", "exact"), 0, 9, R_MODBUS_UNIT);
	policy_text_end(&t);
}

/* A tag may be a part of one that a row names. Services that open a session belong to every use. */
static void names_and_sessions(void **state)
{
	(void)state;
	row("enip", "tcp/44818", "commands = [\"read\"]; tags = [\"Lamp\"];");
	expect("{\"client\":\"10.1.0.1:0\",\"server\":\"10.2.0.1:44818\",\"transport\":\"tcp\",\"protocol\":\"enip\","
	       "\"count\":4,\"route\":0,\"function\":14,\"space\":\"tags\",\"address\":77,\"quantity\":1,"
	       "\"places\":\"exact\"}",
	       0, 4, R_ENIP_ADDRESS);
	expect("{\"client\":\"10.1.0.1:0\",\"server\":\"10.2.0.1:44818\",\"transport\":\"tcp\",\"protocol\":\"enip\","
	       "\"count\":4,\"route\":0,\"function\":16,\"space\":\"tags\",\"address\":77,\"quantity\":1,"
	       "\"places\":\"exact\"}",
	       4, 4, R_ENIP_FUNCTION);
	policy_text_end(&t);
}

/* Traffic that is not inspected, or only observed, is not refused; a conduit that has ended
 * refuses. */
static void other_permits(void **state)
{
	(void)state;
	snprintf(policy, sizeof(policy),
		 SITE "services = { s = { protocol = \"tcp\"; ports = [\"tcp/502\"]; }; };\n" CONDUIT(""));
	compiled();
	expect(READ("1", "0", "1", "exact"), 0, 0, R_ALLOWED);
	policy_text_end(&t);
	snprintf(policy, sizeof(policy),
		 SITE "services = { s = { protocol = \"tls\"; ports = [\"tcp/502\"]; }; };\n" CONDUIT(""));
	compiled();
	expect(READ("1", "0", "1", "exact"), 9, 9, R_WRONG_PROTOCOL);
	policy_text_end(&t);
	snprintf(policy, sizeof(policy),
		 SITE "services = { s = { protocol = \"tls\"; ports = [\"tcp/502\"]; }; };\n" CONDUIT(
			 "mode = \"observe\";"));
	compiled();
	expect(READ("1", "0", "1", "exact"), 0, 0, R_ALLOWED);
	policy_text_end(&t);
}

static void sums_are_not_judged(void **state)
{
	static const char *const sums[] = {
		"{\"kind\":\"counts\",\"count\":9}",
		"{" FLOW "\"unit\":1}",
		"{" FLOW "\"unit\":1,\"function\":3,\"records\":2}",
		"{" FLOW "\"unit\":1,\"function\":3,\"space\":\"nowhere\"}",
		"{\"client\":\"\",\"server\":\"10.2.0.1:502\",\"protocol\":\"modbus\",\"function\":3,\"count\":9}",
		"{\"client\":\"[]:0\",\"server\":\"10.2.0.1:502\",\"protocol\":\"modbus\",\"function\":3,\"count\":9}",
		"{\"client\":\"10.1.0.1:0\",\"server\":\"10.2.0.1:99999\",\"protocol\":\"modbus\",\"function\":3,"
		"\"count\":9}",
	};

	(void)state;
	row("modbus", "tcp/502", "commands = [\"read\"];");
	for (size_t i = 0; i < sizeof(sums) / sizeof(sums[0]); i++) {
		json_t *e = json_loads(sums[i], 0, NULL);
		struct recorded r;

		assert_non_null(e);
		assert_false(recorded_judge(t.c.ir, e, NOW, &r));
		assert_int_equal(r.operations, 9);
		json_decref(e);
	}
	policy_text_end(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(certain),	 cmocka_unit_test(spans),
		cmocka_unit_test(values),	 cmocka_unit_test(sizes),
		cmocka_unit_test(whom),		 cmocka_unit_test(names_and_sessions),
		cmocka_unit_test(other_permits), cmocka_unit_test(sums_are_not_judged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
