/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions of BACnet: which answers fit which requests, segments of answers, notifications that a
 * server sends, requests that a server sends, sessions whose beginning the box has not seen,
 * changes of policy.
 * LINK: $(COMMANDS_PARTS) dpi/bacnet/%.c
 * LIBS: nettle
 */
#include "tests/unit/cmocka.h"

#include <string.h>

#include "dpi/bacnet/bacnet.h"
#include "tests/unit/dpi/bacnet_desk.h"

#define N(list) (sizeof(list) / sizeof((list)[0]))
#define READ "00 05 01 0c 0c 00400001 19 55"
#define READ_2 "00 05 02 0c 0c 00400001 19 55"
#define VALUE "3e 44 41ac0000 3f"
#define COV "09 01 1c 02000005 2c 00400001 39 3c 4e 09 55 2e 44 41ac0000 2f 4f"

static const struct pdu *tell_by(struct desk *d, const char *network, const char *apdu)
{
	struct wire w = carried(BACNET_UNICAST, network, apdu);

	return judge(d, DIR_S2C, &w);
}

/* An answer passes once, and only if its invoke id, its service and what it is about are those of a
 * request. */
static void answers_have_requests(void **state)
{
	static const struct {
		const char *asks, *says;
		enum reason reason;
	} cases[] = {
		{ READ, "30 01 0c 0c 00400001 19 55 " VALUE, R_ALLOWED },
		{ READ, "30 02 0c 0c 00400001 19 55 " VALUE, R_BACNET_RESPONSE },
		{ READ, "30 01 0e 0c 00400001 19 55 " VALUE, R_BACNET_RESPONSE },
		{ READ, "30 01 0c 0c 00400002 19 55 " VALUE, R_BACNET_RESPONSE },
		{ READ, "30 01 0c 0c 00400001 19 51 " VALUE, R_BACNET_RESPONSE },
		{ READ, "30 01 0c", R_BACNET_RESPONSE },
		{ READ, "30 01 0c 0c 00400001 19 55 3e 44 41ac0000", R_BACNET_FRAME },
		{ READ, "20 01 0c", R_BACNET_RESPONSE },
		{ READ, "50 01 0c 91 02 91 20", R_ALLOWED },
		{ READ, "50 01 0f 91 02 91 20", R_BACNET_RESPONSE },
		{ READ, "60 01 09", R_ALLOWED },
		{ READ, "71 01 04", R_ALLOWED },
		{ READ, "60 02 09", R_BACNET_RESPONSE },
		/* with the wildcard instance, any device may answer with its own number */
		{ "00 05 01 0c 0c 023fffff 19 4b", "30 01 0c 0c 02000007 19 4b 3e c4 02000007 3f", R_ALLOWED },
		{ "00 05 01 0c 0c 023fffff 19 4b", "30 01 0c 0c 00400007 19 4b 3e c4 02000007 3f", R_BACNET_RESPONSE },
		{ "00 05 01 0e 0c 00400001 1e 09 55 1f", "30 01 0e 0c 00400001 1e 29 55 4e 44 41ac0000 4f 1f",
		  R_ALLOWED },
		{ "00 05 01 0e 0c 00400001 1e 09 55 1f", "30 01 0e 0c 00400002 1e 29 55 4e 44 41ac0000 4f 1f",
		  R_BACNET_RESPONSE },
		{ "00 05 01 0f 0c 00400001 19 55 3e 21 05 3f", "20 01 0f", R_ALLOWED },
		{ "00 05 01 0f 0c 00400001 19 55 3e 21 05 3f", "30 01 0f", R_BACNET_RESPONSE },
		{ "00 05 01 12 09 07 19 01", "30 01 12 ff ff", R_ALLOWED },
		{ "10 08", "30 01 0c 0c 00400001 19 55 " VALUE, R_BACNET_RESPONSE },
	};
	struct desk d;

	(void)state;
	for (size_t k = 0; k < N(cases); k++) {
		open_desk(&d);
		assert_true(ask(&d, cases[k].asks)->allowed);
		if (tell(&d, cases[k].says)->reason != cases[k].reason)
			fail_msg("%s: %s: %d", cases[k].asks, cases[k].says, d.p.reason);
		if (cases[k].reason == R_ALLOWED)
			assert_int_equal(tell(&d, cases[k].says)->reason, R_BACNET_RESPONSE);
	}
	/* a request that was sent twice still has one answer */
	open_desk(&d);
	assert_true(ask(&d, READ)->allowed);
	assert_true(ask(&d, READ)->allowed);
	assert_true(tell(&d, "30 01 0c 0c 00400001 19 55 " VALUE)->allowed);
	assert_int_equal(tell(&d, "30 01 0c 0c 00400001 19 55 " VALUE)->reason, R_BACNET_RESPONSE);
}

/* An answer has to come from the station that was asked. */
static void answers_come_from_there(void **state)
{
	static const char *const froms[] = { "01 00", "01 08 0005 01 0c", "01 08 0005 01 0d", "01 08 0006 01 0c" };
	struct command_row *row;
	struct wire w;
	struct desk d;

	(void)state;
	for (size_t k = 0; k < N(froms); k++) {
		row = open_desk(&d);
		row->targets[BACNET_ROUTE] = desk_range(&d, 0, UINT32_MAX);
		w = carried(BACNET_UNICAST, "01 24 0005 01 0c ff", READ);
		assert_true(judge(&d, DIR_C2S, &w)->allowed);
		assert_int_equal(tell_by(&d, froms[k], "20 01 0c")->reason, R_BACNET_RESPONSE);
		assert_int_equal(tell_by(&d, froms[k], "30 01 0c 0c 00400001 19 55 " VALUE)->reason,
				 k == 1 ? R_ALLOWED : R_BACNET_RESPONSE);
	}
	/* a confirmed request to all stations of a network has no answer */
	row = open_desk(&d);
	row->targets[BACNET_ROUTE] = desk_range(&d, 0, UINT32_MAX);
	w = carried(BACNET_UNICAST, "01 24 0005 00 ff", READ);
	assert_true(judge(&d, DIR_C2S, &w)->allowed);
	assert_int_equal(tell_by(&d, froms[1], "30 01 0c 0c 00400001 19 55 " VALUE)->reason, R_BACNET_RESPONSE);
}

/* The answer to a refused request is refused for the same reason. */
static void refused_requests(void **state)
{
	struct command_row *row;
	struct desk d;

	(void)state;
	row = open_desk(&d);
	row->services = desk_range(&d, 14, 14);
	assert_int_equal(ask(&d, READ)->reason, R_BACNET_FUNCTION);
	assert_int_equal(tell(&d, "30 01 0c 0c 00400001 19 55 " VALUE)->reason, R_BACNET_FUNCTION);
	assert_int_equal(ask(&d, "00 05 01 0c 0c 00400001")->reason, R_BACNET_FRAME);
	assert_int_equal(tell(&d, "60 01 02")->reason, R_BACNET_FRAME);
}

/* An answer in segments: the first segment must begin as a whole answer would, and the client
 * acknowledges the segments. */
static void segments_of_answers(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d);
	assert_true(ask(&d, READ)->allowed);
	assert_int_equal(tell(&d, "3c 01 01 04 0c 00 00 00")->reason, R_BACNET_RESPONSE);
	assert_int_equal(tell(&d, "3c 01 00 04 0c 0c 00400002 19 55")->reason, R_BACNET_RESPONSE);
	assert_int_equal(ask(&d, "40 02 00 04")->reason, R_BACNET_RESPONSE);
	assert_true(tell(&d, "3c 01 00 04 0c 0c 00400001 19 55")->allowed);
	assert_true(ask(&d, "40 01 00 04")->allowed);
	assert_true(tell(&d, "3c 01 01 04 0c ff ff ff")->allowed);
	assert_true(tell(&d, "38 01 02 04 0c ff")->allowed);
	assert_true(ask(&d, "40 01 02 04")->allowed);
	assert_true(ask(&d, "70 01 00")->allowed);
	assert_int_equal(ask(&d, "30 01 0c")->reason, R_BACNET_RESPONSE);
	assert_int_equal(ask(&d, "70 02 00")->reason, R_BACNET_RESPONSE);
}

/* Notifications (and answers to broadcasts) pass only after a client asked for them, and no longer
 * than a row allows asking for them. */
static void what_comes_by_itself(void **state)
{
	static const struct {
		const char *asks, *comes;
	} cases[] = {
		{ "10 08", "10 00 c4 02000005 22 05c4 91 03 21 07" },
		{ "10 07 2c 00400001", "10 01 c4 02000005 c4 00400001 72 0041" },
		{ "00 05 01 05 09 01 1c 00400001", "10 02 " COV },
		{ "00 05 01 05 09 01 1c 00400001", "00 05 09 01 " COV },
		{ "00 05 01 1c 09 01 1c 00400001 4e 09 55 4f", "10 02 " COV },
		{ "00 05 01 1e 09 01 4e 0c 00400001 1e 0e 09 55 0f 29 00 1f 4f", "10 0b 09 01" },
	};
	struct desk d;

	(void)state;
	for (size_t k = 0; k < N(cases); k++)
		for (size_t other = 0; other < N(cases); other++) {
			bool fits;

			open_desk(&d);
			assert_true(ask(&d, READ_2)->allowed);
			assert_int_equal(tell(&d, cases[k].comes)->reason, R_BACNET_RESPONSE);
			assert_true(ask(&d, cases[other].asks)->allowed);
			fits = k == other || (k >= 2 && k <= 4 && other >= 2 && other <= 4);
			assert_int_equal(tell(&d, cases[k].comes)->reason, fits ? R_ALLOWED : R_BACNET_RESPONSE);
			assert_int_equal(tell(&d, cases[k].comes)->allowed, fits);
			d.rows[0].services = desk_range(&d, 12, 12);
			d.table.digest[0]++;
			assert_false(tell(&d, cases[k].comes)->allowed);
		}
	/* a refused request lets no notification pass */
	open_desk(&d);
	d.rows[0].services = desk_range(&d, 12, 12);
	assert_false(ask(&d, "10 08")->allowed);
	d.rows[0].services.any = true;
	assert_int_equal(tell(&d, cases[0].comes)->reason, R_BACNET_RESPONSE);
}

/* Of the requests that a server sends, only those pass that a row names; other requests never
 * do. */
static void servers_do_not_ask(void **state)
{
	static const struct {
		const char *apdu;
		enum reason reason;
	} cases[] = {
		{ READ, R_BACNET_DIRECTION },
		{ "00 05 01 0f 0c 00400001 19 55 3e 21 05 3f", R_BACNET_DIRECTION },
		{ "10 08", R_BACNET_DIRECTION },
		{ "10 06 a4 7e0b1c06 b4 161e0000", R_BACNET_DIRECTION },
		{ "08 05 01 00 01 01 " COV, R_BACNET_DIRECTION },
		{ "10 03 09 01", R_ALLOWED },
		{ "00 05 09 02 09 01", R_ALLOWED },
		{ "10 04 ff ff", R_ALLOWED },
	};
	struct command_row *row;
	struct desk d;

	(void)state;
	for (size_t k = 0; k < N(cases); k++)
		for (unsigned named = 0; named < 2; named++) {
			row = open_desk(&d);
			assert_true(ask(&d, READ_2)->allowed);
			if (named == 0)
				row->services = desk_range(&d, 12, 12);
			tell(&d, cases[k].apdu);
			assert_int_equal(d.p.allowed, named > 0 && cases[k].reason == R_ALLOWED);
			if (named > 0)
				assert_int_equal(d.p.reason, cases[k].reason);
		}
	for (unsigned function = 0; function < 13; function++) {
		struct wire w = carried((uint8_t)function, "", "");

		if (function == 4 || (function >= 9 && function <= 11) || function == 5 || function == 8)
			continue;
		if (function == 0)
			put_hex(&w, "0000");
		w.p[3] = (uint8_t)w.n;
		open_desk(&d);
		assert_int_equal(judge(&d, DIR_S2C, &w)->reason, function == 0 || function == 3 || function == 7
									 ? R_BACNET_RESPONSE
									 : R_BACNET_DIRECTION);
	}
}

/* A client may answer only confirmed notifications that came to it. */
static void clients_answer(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d);
	assert_true(ask(&d, "00 05 01 05 09 01 1c 00400001")->allowed);
	assert_int_equal(ask(&d, "20 09 01")->reason, R_BACNET_RESPONSE);
	assert_true(tell(&d, "00 05 09 01 " COV)->allowed);
	assert_true(ask(&d, "20 09 01")->allowed);
	assert_true(ask(&d, "50 09 01 91 02 91 20")->allowed);
	assert_true(ask(&d, "60 09 00")->allowed);
	assert_int_equal(ask(&d, "20 0a 01")->reason, R_BACNET_RESPONSE);
	assert_int_equal(ask(&d, "30 09 01 0c 00400001")->reason, R_BACNET_RESPONSE);
	assert_int_equal(ask(&d, "50 09 01 91")->reason, R_BACNET_FRAME);
	assert_int_equal(ask(&d, "20 09 02")->reason, R_BACNET_RESPONSE);
	/* the answer may go only to the sender of the notification */
	for (unsigned k = 0; k < 4; k++) {
		static const char *const networks[] = { "01 20 0005 01 0c ff", "01 20 ffff 00 ff", "01 00", "01 00" };
		struct wire w = carried(k == 2 ? BACNET_BROADCAST : BACNET_UNICAST, networks[k], "20 09 01");

		assert_int_equal(judge(&d, DIR_C2S, &w)->reason, k == 3 ? R_ALLOWED : R_BACNET_RESPONSE);
	}
	/* the answer needs no word in a row, only a row for the device */
	d.rows[0].services = desk_range(&d, 12, 12);
	assert_true(ask(&d, "20 09 01")->allowed);
	/* when the list is full, the oldest notification is forgotten */
	for (unsigned k = 0; k < BACNET_TOLD_MAX; k++) {
		char text[128];

		d.rows[0].services.any = true;
		snprintf(text, sizeof(text), "00 05 %02x 01 " COV, 0x20 + k);
		assert_true(tell(&d, text)->allowed);
	}
	assert_int_equal(ask(&d, "20 09 01")->reason, R_BACNET_RESPONSE);
	assert_true(ask(&d, "20 20 01")->allowed);
}

/* Answers of the BACnet link: a result or a table, each once for a request. */
static void the_link_answers(void **state)
{
	struct wire reads = carried(2, "", ""), table = carried(3, "0a140063bac0 ffffffff", ""),
		    result = carried(0, "0020", ""), other = carried(7, "", "");
	struct desk d;

	(void)state;
	open_desk(&d);
	assert_int_equal(judge(&d, DIR_S2C, &table)->reason, R_BACNET_RESPONSE);
	assert_true(judge(&d, DIR_C2S, &reads)->allowed);
	assert_int_equal(judge(&d, DIR_S2C, &other)->reason, R_BACNET_RESPONSE);
	assert_true(judge(&d, DIR_S2C, &table)->allowed);
	assert_int_equal(judge(&d, DIR_S2C, &table)->reason, R_BACNET_RESPONSE);
	assert_true(judge(&d, DIR_C2S, &reads)->allowed);
	assert_true(judge(&d, DIR_S2C, &result)->allowed);
	assert_true(d.p.exception);
}

/* At most BACNET_OPEN_MAX requests can wait for an answer. A request that is answered makes room,
 * and so do older ones that a later answer has overtaken. */
static void requests_wait(void **state)
{
	char text[128];
	struct desk d;

	(void)state;
	open_desk(&d);
	for (unsigned k = 0; k <= BACNET_OPEN_MAX; k++) {
		snprintf(text, sizeof(text), "00 05 %02x 0c 0c 00400001 19 55", k);
		assert_int_equal(ask(&d, text)->reason, k < BACNET_OPEN_MAX ? R_ALLOWED : R_BACNET_PENDING);
	}
	assert_true(tell(&d, "30 05 0c 0c 00400001 19 55 " VALUE)->allowed);
	/* the answered one, and the five before it, whose answers may be lost */
	for (unsigned k = 0; k < 6; k++) {
		snprintf(text, sizeof(text), "00 05 %02x 0c 0c 00400001 19 55", 0x40 + k);
		assert_int_equal(ask(&d, text)->reason, R_ALLOWED);
	}
	assert_int_equal(ask(&d, "00 05 50 0c 0c 00400001 19 55")->reason, R_BACNET_PENDING);
	pending_crowd(&bacnet_enforcer, d.state);
	assert_int_equal(ask(&d, "00 05 50 0c 0c 00400001 19 55")->reason, R_ALLOWED);
}

/* If the box has not seen the beginning of a session, answers and notifications pass whose requests
 * it may have missed. If a request that was refused or could not be read may be among what it
 * missed, they do not. */
static void met_half_way(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d);
	pending_missed(&bacnet_enforcer, d.state, false);
	assert_int_equal(tell(&d, "30 01 0c 0c 00400001 19 55 " VALUE)->reason, R_BACNET_UNSEEN);
	assert_true(d.p.allowed);
	assert_true(tell(&d, "10 02 " COV)->allowed);
	assert_true(ask(&d, "20 09 01")->allowed);
	assert_int_equal(tell(&d, READ)->reason, R_BACNET_DIRECTION);
	pending_missed(&bacnet_enforcer, d.state, true);
	assert_int_equal(tell(&d, "30 01 0c 0c 00400001 19 55 " VALUE)->reason, R_BACNET_UNREAD);
	assert_false(d.p.allowed);
}

/* After the policy became narrower, earlier requests are still answered, but the same requests are
 * refused. */
static void a_narrowing(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d);
	assert_true(ask(&d, "00 05 01 0f 0c 00400001 19 55 3e 21 05 3f")->allowed);
	assert_true(ask(&d, READ_2)->allowed);
	d.rows[0].services = desk_range(&d, 12, 12);
	desk_space(&d, &d.rows[0], BACNET_OBJECTS, desk_range(&d, AO(2), AO(2)));
	d.table.digest[0]++;
	assert_true(tell(&d, "20 01 0f")->allowed);
	assert_true(tell(&d, "30 02 0c 0c 00400001 19 55 " VALUE)->allowed);
	assert_int_equal(ask(&d, "00 05 01 0f 0c 00400001 19 55 3e 21 05 3f")->reason, R_BACNET_FUNCTION);
	assert_int_equal(ask(&d, READ_2)->reason, R_BACNET_ADDRESS);
	assert_int_equal(ask(&d, "00 05 03 0c 0c 00400002 19 55")->reason, R_ALLOWED);
}

/* The bytes of a session's state beyond state_used may change without any effect. */
static void the_rest_of_a_state_is_not_used(void **state)
{
	struct desk d;

	(void)state;
	for (unsigned open = 0; open < 4; open++) {
		size_t used;

		open_desk(&d);
		for (unsigned k = 0; k < open; k++) {
			char text[128];

			snprintf(text, sizeof(text), "00 05 %02x 0c 0c 00400001 19 55", k);
			assert_true(ask(&d, text)->allowed);
		}
		used = pending_state_used(&bacnet_enforcer, d.state);
		assert_true(used <= bacnet_enforcer.state_size);
		memset(d.state + used, 0xa5, sizeof(d.state) - used);
		for (unsigned k = 0; k < open; k++) {
			char text[128];

			snprintf(text, sizeof(text), "30 %02x 0c 0c 00400001 19 55 " VALUE, k);
			assert_true(tell(&d, text)->allowed);
		}
		assert_int_equal(tell(&d, "30 01 0c 0c 00400001 19 55 " VALUE)->reason, R_BACNET_RESPONSE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_have_requests), cmocka_unit_test(answers_come_from_there),
		cmocka_unit_test(refused_requests),	 cmocka_unit_test(segments_of_answers),
		cmocka_unit_test(what_comes_by_itself),	 cmocka_unit_test(servers_do_not_ask),
		cmocka_unit_test(clients_answer),	 cmocka_unit_test(the_link_answers),
		cmocka_unit_test(requests_wait),	 cmocka_unit_test(met_half_way),
		cmocka_unit_test(a_narrowing),		 cmocka_unit_test(the_rest_of_a_state_is_not_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
