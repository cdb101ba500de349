/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A flow keeps one protocol for its whole life. Within an open session of each enforced protocol,
 * with the real enforcers and the whole inspector, the client or the server begins another protocol
 * (strangers.h, and the other enforced ones), or begins the same one again. Nothing of that may
 * arrive except what could still be an incomplete PDU of the first protocol; the session must end.
 *
 * LINK: $(INSPECT_PARTS) dpi/modbus/%.c dpi/slmp/%.c dpi/fins/%.c dpi/enip/%.c dpi/s7comm/%.c
 * LINK: appliance/wire/tag.c appliance/cache/program.c appliance/worker/lend.c
 * LINK: appliance/worker/template.c
 * LIBS: libndpi nettle
 */
#include "tests/unit/cmocka.h"

#include "tests/unit/dpi/lent.h"

#include "tests/unit/dpi/strangers.h"

#define HEADER 8u /* more bytes than this of a stranger cannot be taken for an incomplete header */

/* The moment at which the stranger speaks: as first words of the session, after the greeting, after
 * an answered request, after an open request, in the middle of a request. */
enum moment { FRESH, GREETED, ANSWERED, OPEN, WITHIN, MOMENTS };

static const char *const moment_names[MOMENTS] = { "first", "behind the greeting", "behind an answer",
						   "behind a request", "within a request" };

enum form { WHOLE, IN_BYTES, FLOOD, FORMS };

static const char *const form_names[FORMS] = { "whole", "in bytes", "as many of them in one segment" };

static uint8_t flood[ROOM]; /* the stranger's bytes again and again, more than any PDU has */

static size_t say_again_and_again(const struct blob *m)
{
	size_t n = 0;

	for (; n + m->n <= sizeof(flood); n += m->n)
		memcpy(flood + n, m->b, m->n);
	return n;
}

/* Brings the session to this moment; returns how many bytes the client has sent after the
 * greeting. */
static uint32_t come_to(enum moment p)
{
	uint32_t n = p == WITHIN ? (uint32_t)now.read.n / 2 : (uint32_t)now.read.n;

	if (p == FRESH)
		begin_silent();
	else
		begin_trial();
	trial.mute = p != ANSWERED;
	if (p <= GREETED)
		return 0;
	say_at(0, now.read.b, n, false);
	assert_int_equal(trial.next, n);
	return n;
}

/* How many of the stranger's first bytes may arrive: those that could be the incomplete header of
 * one PDU. */
static uint32_t some(const struct stranger *s, enum form form)
{
	if (s->like != NULL && strcmp(s->like, now.s->name) == 0)
		return (uint32_t)strlen(s->says) / 2;
	return form == IN_BYTES ? HEADER - 1 : 0;
}

static uint32_t server_speaks(const uint8_t *p, size_t n)
{
	unsigned o = desk_segment(&trial.k, DIR_S2C, trial.k.s, trial.base + trial.next, DESK_ACK | DESK_PSH, p, n);

	if (o >= OUTCOME_ACCEPT)
		trial.k.s += (uint32_t)n;
	return o >= OUTCOME_ACCEPT ? (uint32_t)n : 0;
}

static void client_says(const struct stranger *s, const struct blob *m, enum moment p, enum form form)
{
	uint32_t from = come_to(p), n = (uint32_t)m->n, at = from, most, all = (uint32_t)say_again_and_again(m);

	for (uint32_t i = 0; form == IN_BYTES && i < n; i++, at++)
		say_at(at, m->b + i, 1, false);
	if (form == WHOLE) {
		say_at(at, m->b, n, false);
		at += n;
	}
	most = trial.next - from;
	say_at(at, flood, all - at < all ? all - at : all, false);
	if (form == FLOOD)
		most = trial.next - from;
	/* the bytes wait until the request before them is answered */
	if (!trial.ended && p == OPEN) {
		server_speaks(now.answer.b, now.answer.n);
		say_at(at, flood, all - at < all ? all - at : all, false);
	}
	/* The stranger's bytes may complete a half request; if so, that request is an allowed
	 * one. */
	if (end_trial() < 0 || !trial.ended || (p != WITHIN && most > some(s, form)))
		fail_msg("%s: the client, %s, %s, %s: %u bytes arrived, then %u, %s, %d requests", now.s->name, s->name,
			 moment_names[p], form_names[form], most, trial.next - from, trial.ended ? "ended" : "goes on",
			 end_trial());
}

static void server_says(const struct stranger *s, const struct blob *m, enum moment p, enum form form)
{
	size_t all = say_again_and_again(m);
	uint32_t most = 0;

	come_to(p);
	for (size_t at = 0; form != FLOOD && at < m->n; at += form == IN_BYTES ? 1 : m->n)
		most += server_speaks(m->b + at, form == IN_BYTES ? 1 : m->n);
	if (form == FLOOD)
		most = server_speaks(flood, all);
	else
		server_speaks(flood, all - m->n);
	if (!is_reset() || most > some(s, form))
		fail_msg("%s: the server, %s, %s, %s: %u bytes arrived, %zu resets", now.s->name, s->name,
			 moment_names[p], form_names[form], most, desk.n_resets);
}

static unsigned speaks(const struct stranger *s, bool ends)
{
	struct blob m = blob_of(s->says);
	unsigned cases = 0;

	for (unsigned p = ends ? FRESH : ANSWERED; p < (ends ? MOMENTS : WITHIN); p++)
		for (unsigned form = 0; form < FORMS; form++, cases += 2) {
			client_says(s, &m, p, form);
			server_says(s, &m, p, form);
		}
	inspector_finish(desk_i);
	return cases;
}

/* Zero bytes are messages without an effect in EtherNet/IP. They pass for as long as somebody sends
 * them. */
static bool means_nothing(const struct stranger *s)
{
	return strcmp(now.s->name, "EtherNet/IP") == 0 && strspn(s->says, "0") == strlen(s->says);
}

static void others_are_refused(void **state)
{
	unsigned cases = 0;

	(void)state;
	for (unsigned i = 0; i < SPEECHES; i++) {
		use_speech(&speeches[i]);
		for (unsigned k = 0; k < STRANGERS; k++)
			if (!means_nothing(&strangers[k]))
				cases += speaks(&strangers[k], true);
		for (unsigned k = 0; k < SPEECHES; k++) {
			const char *greeting = speeches[k].greeting[0][0];
			/* the bytes are a message without an effect */
			bool zeros = strncmp(speeches[k].read, "0000 0000", 9) == 0;
			/* the other form of the same protocol */
			bool same = speeches[k].enforcer == now.s->enforcer;

			if (k == i)
				continue;
			cases += speaks(
				&(struct stranger){ speeches[k].name, speeches[k].read, zeros ? "EtherNet/IP" : NULL },
				!same);
			if (greeting != NULL)
				cases += speaks(&(struct stranger){ speeches[k].name, greeting, NULL }, true);
		}
		desk_close();
	}
	printf("%u cases\n", cases);
}

/* If the port is used by two protocols, each session still keeps one of them. */
static struct speech as_spoken;
static unsigned spoken;

static void beside_http(struct desk *d, struct command_row *row)
{
	speeches[spoken].policy(d, row);
	desk_grant(d, 1, 200, false);
	d->grants[1].protocol = PROTO_HTTP;
	d->grants[1].whole = true;
	d->grants[1].first_row = d->grants[1].n_rows = 0;
	d->table.n_rows = 1;
}

static void allowed_ones_too(void **state)
{
	static const char get[] = "474554202f20485454502f312e310d0a486f73743a20780d0a0d0a";
	const struct blob m = blob_of(get);

	(void)state;
	for (spoken = 0; spoken < SPEECHES; spoken++) {
		as_spoken = speeches[spoken];
		as_spoken.policy = beside_http;
		use_speech(&as_spoken);
		begin_silent();
		say_at(0, m.b, m.n, false);
		assert_int_equal(trial.next, m.n);
		assert_false(trial.ended);
		speaks(&(struct stranger){ "HTTP", get, NULL }, false);
		desk_close();
	}
}

/* Messages of the same protocol in one session: all of them arrive except the last one, which ends
 * the session. */
struct again {
	unsigned speech;
	bool fresh;
	const char *what, *said[3];
};

enum { ENIP = 3, S7COMM = 4, FINS = 5 };

#define ENIP_READ                                                                                                      \
	"6f002000c15e000000000000010000000000000000000000000000000000020000000000b20010004c06910a4c616d70414243444546" \
	"0100"
#define ENIP_REGISTER "65000400000000000000000000000000000000000000000001000000"
#define ENIP_UNREGISTER "66000000c15e000000000000000000000000000000000000"
#define S7_CONNECT "0300001611e00000000100c0010ac1020100c2020102"
#define S7_DISCONNECT "0300000b06800001000100"
#define S7_READ_ONE "0300001f02f080320100000002000e00000401120a10020001000a84000000"

#define FINS_NODE "46494e530000000c000000000000000000000000"
#define FINS_READ "46494e530000001a0000000200000000800002000a00001900010101820000000004"

static const struct again agains[] = {
	{ ENIP, false, "registers again", { ENIP_REGISTER } },
	{ ENIP, false, "registers again behind a request", { ENIP_READ, ENIP_REGISTER } },
	{ ENIP, true, "registers twice", { ENIP_REGISTER, ENIP_REGISTER } },
	{ ENIP, true, "asks before it registers", { ENIP_READ } },
	{ ENIP, true, "asks before it is registered", { ENIP_REGISTER, ENIP_READ } },
	{ ENIP,
	  false,
	  "asks by another session",
	  { "6f002000c25e000000000000010000000000000000000000000000000000020000000000b20010004c06910a4c616d704142434445"
	    "460100" } },
	{ ENIP, false, "asks when its session is over", { ENIP_UNREGISTER, ENIP_READ } },
	{ ENIP, false, "registers anew and asks by the old session", { ENIP_UNREGISTER, ENIP_REGISTER, ENIP_READ } },
	{ S7COMM, false, "connects again", { S7_CONNECT } },
	{ S7COMM, false, "connects again behind a request", { S7_READ_ONE, S7_CONNECT } },
	{ S7COMM, false, "connects again as another", { "0300001611e00000000200c0010ac1020100c2020102" } },
	{ S7COMM, false, "connects to another slot", { "0300001611e00000000100c0010ac1020100c2020103" } },
	{ S7COMM, false, "connects again after it disconnected", { S7_DISCONNECT, S7_CONNECT } },
	{ S7COMM, false, "asks after it disconnected", { S7_DISCONNECT, S7_READ_ONE } },
	{ S7COMM, false, "confirms a connection", { "0300001611d00001000100c0010ac1020100c2020102" } },
	{ S7COMM,
	  false,
	  "goes on in S7comm-plus",
	  { "0300002302f0807201001431000004ca00000001000000003600000000000072010000" } },
	{ S7COMM, true, "connects twice", { S7_CONNECT, S7_CONNECT } },
	{ S7COMM,
	  true,
	  "connects twice, to another slot",
	  { S7_CONNECT, "0300001611e00000000100c0010ac1020100c2020103" } },
	{ S7COMM, true, "asks before it connects", { S7_READ_ONE } },
	{ S7COMM, true, "asks before a size is agreed on", { S7_CONNECT, S7_READ_ONE } },
	{ S7COMM,
	  true,
	  "agrees on a size before it connects",
	  { "0300001902f08032010000000100080000f0000001000100f0" } },
	{ FINS, false, "says its node again", { FINS_NODE } },
	{ FINS, false, "says its node again behind a request", { FINS_READ, FINS_NODE } },
	{ FINS, true, "says its node twice", { FINS_NODE, FINS_NODE } },
	{ FINS, true, "says its node behind a request", { FINS_READ, FINS_NODE } },
	{ FINS, false, "says what a server says", { "46494e53000000100000000100000000000000190000000a" } },
	{ FINS, false, "asks whether it is there", { "46494e53000000080000000600000000" } },
	{ FINS, false, "goes on in frames alone", { "800002000a00001900010101820000000004" } },
};

static void never_twice(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(agains) / sizeof(agains[0]); i++) {
		const struct again *a = &agains[i];
		struct blob said[3];
		uint32_t at = 0;

		use_speech(&speeches[a->speech]);
		if (a->fresh)
			begin_silent();
		else
			begin_trial();
		trial.mute = true;
		for (unsigned k = 0; k < 3 && a->said[k] != NULL; k++) {
			bool last = k == 2 || a->said[k + 1] == NULL;

			said[k] = blob_of(a->said[k]);
			say_at(at, said[k].b, said[k].n, false);
			at += last ? 0 : (uint32_t)said[k].n;
			if (trial.next != at || trial.ended != last)
				fail_msg("%s: %s, %u: %u bytes arrived of %u, %s", now.s->name, a->what, k, trial.next,
					 at, trial.ended ? "ended" : "goes on");
		}
		inspector_finish(desk_i);
		desk_close();
	}
}

static int run(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(others_are_refused), cmocka_unit_test(allowed_ones_too),
					    cmocka_unit_test(never_twice) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	int failed = run();

	return failed + lent(run);
}
