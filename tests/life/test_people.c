/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people ask of a box, and what they are told: the real control and the real supervisor in one
 * process, with the other roles played. In a table where the answer is all that matters.
 *
 * LINK: $(LIFE_SRC)
 * LIBS: jansson nettle libconfig libseccomp
 */
#include "tests/unit/cmocka.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "appliance/base/memfd.h"
#include "appliance/role/roles.h"
#include "appliance/wire/orders.h"
#include "appliance/wire/slot.h"
#include "tests/life/disk.h"
#include "tests/life/life.h"
#include "tests/life/machine.h"
#include "tests/life/sound.h"

#define CLOSED (-1), NULL /* the connection is closed instead of an answer */

static void first_policy(void)
{
	LIFE(life_boot() == LIFE_GOES_ON && life_apply(KNOWN_PLAIN, 0, 0)->status == ANSWER_YES);
}

static bool says(const struct answer *a, const char *what)
{
	return a != NULL && a->told && a->whole != NULL && strstr(a->whole, what) != NULL;
}

static bool told(const struct answer *a, int status, const char *what)
{
	return a != NULL && a->told && a->status == status && (what == NULL || says(a, what));
}

/* ---- questions, one by one ------------------------------------------------------------------- */

/* What that role answers, played by the test. */
#define HEARD(role) "\"heard\":\"" role
#define BY(way, TYPE, member, ...)                                                                                     \
	way,                                                                                                           \
	{                                                                                                              \
		MSG_##TYPE, .member = { __VA_ARGS__ }                                                                  \
	}
#define A(way, TYPE)                                                                                                   \
	way,                                                                                                           \
	{                                                                                                              \
		.type = MSG_##TYPE                                                                                     \
	}

static const struct inquiry {
	enum way way;
	struct msg_body body;
	int status;
	const char *says; /* a part of the answer; NULL = anything */
} questions_[] = {
	{ A(AS_ROOT, STATUS), ANSWER_YES, "\"forwarding\":true" },
	{ A(AS_ROOT, STATUS), ANSWER_YES, "\"silent\":[]" },
	{ A(AS_ROOT, STATUS), ANSWER_YES,
	  "\"changes\":[{\"number\":2,\"applied\":\"2026-11-18T11:06:40.000Z\",\"by\":\"kaki\"" },
	{ A(AS_ROOT, EFFECTIVE), ANSWER_YES, "\"tables_digest\":\"" },
	{ A(AS_ROOT, VERIFY), ANSWER_YES, "\"equal\":true" },
	{ BY(AS_ROOT, VERIFY, verify, .tell = 1), ANSWER_YES, "\"generation\":2" },
	{ A(AS_ROOT, HISTORY), ANSWER_YES, "\"one_step\":true" },
	{ A(AS_ROOT, HISTORY), ANSWER_YES, "it may reach ot" },
	{ A(AS_ROOT, DRAFT), ANSWER_YES, "\"state\":\"none\"" },
	{ BY(AS_ROOT, DRAFT, draft, .texts = 1), ANSWER_YES, "\"sources\":[]" },
	{ BY(AS_ROOT, SHOW, show, .number = 1), ANSWER_YES, "\"before\":null" },
	{ BY(AS_ROOT, SHOW, show, .number = 0), ANSWER_YES, "\"before\":{\"number\":1" },
	{ BY(AS_ROOT, SHOW, show, .number = 1, .sealed = 1), ANSWER_YES, NULL },
	{ BY(AS_ROOT, SHOW, show, .number = 9), ANSWER_INVALID, "no generation 9" },
	{ BY(AS_ROOT, SHOW, show, .at = 1), ANSWER_INVALID, "is not known" },
	{ BY(AS_ROOT, EFFECTIVE, effective, .at = 1), ANSWER_INVALID, "is not known" },
	{ BY(AS_ROOT, EFFECTIVE, effective, .at = 1795000030), ANSWER_YES, "\"as_it_was\":" },
	{ A(AS_ROOT, FLOWS), ANSWER_YES, HEARD("enforce") },
	{ A(AS_ROOT, EVENTS), ANSWER_YES, HEARD("journal") },
	{ A(AS_ROOT, EXPLAIN), ANSWER_YES, HEARD("journal") },
	{ BY(AS_ROOT, HOLD, hold, .reason = ""), ANSWER_YES, HEARD("journal") },
	{ BY(AS_ROOT, HOLD, hold, .order = HOLD_PLACE, .reason = "r"), ANSWER_YES, HEARD("journal") },
	{ BY(AS_ROOT, DEVICES, devices, .reason = ""), ANSWER_YES, HEARD("journal") },
	{ BY(AS_ROOT, DEVICES, devices, .order = DEVICES_TAKE, .reason = ""), CLOSED },
	{ BY(AS_ROOT, ATTACKS, attacks, .reason = ""), ANSWER_YES, HEARD("journal") },
	{ A(AS_ROOT, COPY), ANSWER_YES, HEARD("journal") },
	{ A(AS_ROOT, PRESERVE), ANSWER_YES, HEARD("journal") },
	{ A(AS_ROOT, CHECKPOINT), ANSWER_YES, HEARD("journal") },
	{ BY(AS_ROOT, REVIEW, review, .name = "kaki", .note = ""), ANSWER_YES, HEARD("accounts") },
	{ BY(AS_ROOT, CTL_USER, ctl_user, .order = USER_LIST, .text = "{}"), ANSWER_YES, HEARD("accounts") },
	{ BY(AS_ROOT, CTL_USER, ctl_user, .order = USER_ADD, .text = "{}"), ANSWER_YES, HEARD("accounts") },
	{ BY(AS_ROOT, CTL_RECORD, ctl_record, .what = MACHINE_NOTHING, .text = ""), CLOSED },
	{ BY(AS_ROOT, CTL_RECORD, ctl_record, .what = MACHINE_CLOCK_WAITS, .text = ""), CLOSED },
	{ BY(AS_ROOT, CTL_RECORD, ctl_record, .what = MACHINE_BACKUP_TRIED, .text = "a"), ANSWER_YES, "{}" },
	{ BY(AS_ROOT, CTL_RELEASE, ctl_release, .flags = RELEASE_LIST, .device = ""), ANSWER_YES, "\"eth0\"" },
	{ BY(AS_ROOT, CTL_RELEASE, ctl_release, .device = "none"), ANSWER_CANNOT, "no interface none" },
	{ BY(AS_ROOT, CTL_CHANGE, ctl_change, .order = CHANGE_APPLY, .comment = ""), ANSWER_CANNOT, "only root" },
	{ BY(AS_ROOT, CTL_CHANGE, ctl_change, .order = CHANGE_SAVE, .comment = ""), ANSWER_CANNOT, "only root" },
	{ BY(AS_ROOT, CTL_CHANGE, ctl_change, .order = CHANGE_OPEN, .object = "gate", .comment = ""), ANSWER_CANNOT,
	  "no door of that name" },
	{ A(AS_ROOT, BACKUP), ANSWER_INVALID, "backup.pem" },
	{ BY(AS_ROOT, CTL_CHANGE, ctl_change, .order = CHANGE_CONFIRM, .comment = ""), ANSWER_CANNOT, "error" },
	{ A(AS_ROOT, PING), CLOSED },
	/* the user that forwards alarms */
	{ A(AS_NOTIFY, STATUS), ANSWER_YES, "\"forwarding\":true" },
	{ A(AS_NOTIFY, EVENTS), ANSWER_YES, HEARD("journal") },
	{ A(AS_NOTIFY, HISTORY), CLOSED },
	{ BY(AS_NOTIFY, CTL_CHANGE, ctl_change, .order = CHANGE_ROLLBACK, .comment = ""), CLOSED },
	/* a login whose account may do everything that an account may */
	{ A(AS_LOGIN, STATUS), ANSWER_YES, "\"forwarding\":true" },
	{ A(AS_LOGIN, EFFECTIVE), ANSWER_YES, "\"tables_digest\":\"" },
	{ A(AS_LOGIN, EVENTS), ANSWER_YES, HEARD("journal") },
	{ BY(AS_LOGIN, HOLD, hold, .order = HOLD_LIFT, .reason = ""), ANSWER_YES, HEARD("journal") },
	{ BY(AS_LOGIN, REVIEW, review, .name = "kaki", .note = ""), ANSWER_YES, HEARD("accounts") },
	{ BY(AS_LOGIN, REVIEW, review, .name = "nashi", .note = ""), ANSWER_CANNOT, "do not allow" },
	{ BY(AS_LOGIN, DEVICES, devices, .order = DEVICES_TRY, .reason = ""), ANSWER_CANNOT, "only root" },
	{ BY(AS_LOGIN, CTL_USER, ctl_user, .order = USER_LIST, .text = "{}"), ANSWER_YES, HEARD("accounts") },
	{ BY(AS_LOGIN, CTL_USER, ctl_user, .order = USER_ADD, .text = "{}"), ANSWER_CANNOT, "only root" },
	{ BY(AS_LOGIN, CTL_CHANGE, ctl_change, .order = CHANGE_ROLLBACK, .comment = ""), ANSWER_CANNOT, "only root" },
	{ BY(AS_LOGIN, CTL_CHANGE, ctl_change, .order = CHANGE_CONFIRM, .comment = ""), ANSWER_CANNOT, "only root" },
	{ BY(AS_LOGIN, CTL_RECORD, ctl_record, .what = MACHINE_BACKUP_TRIED, .text = ""), ANSWER_CANNOT, "only root" },
	{ BY(AS_LOGIN, CHANGE, change, .order = CHANGE_ROLLBACK, .base = 2, .comment = ""), ANSWER_YES,
	  "\"done\":true" },
	{ BY(AS_LOGIN, CHANGE, change, .order = CHANGE_ASK, .comment = ""), ANSWER_CANNOT, "\"done\":false" },
	/* over the web */
	{ A(OVER_WEB, STATUS), ANSWER_YES, "\"forwarding\":true" },
	{ A(OVER_WEB, VERIFY), ANSWER_YES, "\"equal\":true" },
	{ A(OVER_WEB, HISTORY), ANSWER_YES, "\"history\":[" },
	{ BY(OVER_WEB, SHOW, show, .number = 2), ANSWER_YES, "\"number\":2" },
	{ A(OVER_WEB, TRENDS), ANSWER_YES, HEARD("journal") },
	{ A(OVER_WEB, CHAIN), ANSWER_YES, HEARD("journal") },
	{ A(OVER_WEB, ASK), ANSWER_YES, HEARD("compile") },
	{ BY(OVER_WEB, ASK, ask, .at = 1), ANSWER_INVALID, "is not known" },
	{ BY(OVER_WEB, LOGIN, login, .proof = ""), ANSWER_YES, HEARD("accounts") },
	{ A(OVER_WEB, CHALLENGE), ANSWER_YES, HEARD("accounts") },
	{ BY(OVER_WEB, KEY, key, .proof = ""), ANSWER_YES, HEARD("accounts") },
	{ BY(OVER_WEB, MANAGE, manage, .text = "{}"), ANSWER_YES, HEARD("accounts") },
	{ A(OVER_WEB, PASSPHRASE), ANSWER_YES, HEARD("accounts") },
	{ A(OVER_WEB, JUDGE), ANSWER_YES, "kaki" },
	{ A(OVER_WEB, LOGOUT), ANSWER_YES, HEARD("accounts") },
	{ BY(OVER_WEB, REGISTER, reg, .tokens = 1), ANSWER_YES, HEARD("accounts") },
	{ BY(OVER_WEB, HOLD, hold, .order = HOLD_LIST, .reason = ""), ANSWER_YES, HEARD("journal") },
	{ BY(OVER_WEB, RECORDS, records, .order = RECORDS_REVIEW, .text = "n"), ANSWER_YES, HEARD("accounts") },
	{ BY(OVER_WEB, RECORDS, records, .order = RECORDS_HOLD, .text = "n"), ANSWER_YES, HEARD("journal") },
	{ BY(OVER_WEB, RECORDS, records, .order = RECORDS_HOLD, .text = "n"), ANSWER_CANNOT, "less than a minute" },
	{ BY(OVER_WEB, RECORDS, records, .order = RECORDS_ACCEPT, .text = "n"), ANSWER_YES, HEARD("journal") },
	{ BY(OVER_WEB, RECORDS, records, .order = RECORDS_SILENCE, .text = "n"), ANSWER_YES, HEARD("journal") },
	{ BY(OVER_WEB, RECORDS, records, .order = RECORDS_LIFT, .text = "n"), ANSWER_YES, HEARD("journal") },
	{ BY(OVER_WEB, CHANGE, change, .order = CHANGE_CHECK, .comment = ""), ANSWER_CANNOT, "\"done\":false" },
	{ BY(OVER_WEB, CHANGE, change, .order = CHANGE_SAVE, .comment = ""), ANSWER_CANNOT, "\"done\":false" },
	{ BY(OVER_WEB, CHANGE, change, .order = CHANGE_ISOLATE, .object = "zone ot", .comment = ""), ANSWER_YES,
	  "zone ot" },
	{ BY(OVER_WEB, CHANGE, change, .order = CHANGE_REJOIN, .object = "zone ot", .comment = ""), ANSWER_YES,
	  "\"done\":true" },
	{ BY(OVER_WEB, CHANGE, change, .order = CHANGE_OPEN, .object = "gate", .comment = ""), ANSWER_CANNOT,
	  "no door of that name" },
};

/* As which question a role hears it. */
static enum msg_type heard_as(const struct msg_body *b)
{
	static const enum msg_type of_records[RECORDS_ORDERS] = {
		[RECORDS_REVIEW] = MSG_REVIEW,	 [RECORDS_HOLD] = MSG_HOLD,	 [RECORDS_LIFT] = MSG_HOLD,
		[RECORDS_ACCEPT] = MSG_DEVICES,	 [RECORDS_FORGET] = MSG_DEVICES, [RECORDS_ACKNOWLEDGE] = MSG_ATTACKS,
		[RECORDS_SILENCE] = MSG_ATTACKS,
	};

	if (b->type == MSG_RECORDS)
		return of_records[b->records.order];
	return b->type == MSG_CTL_USER || b->type == MSG_REGISTER ? MSG_USER : b->type;
}

static bool as_it_must(const struct inquiry *q, const struct answer *a)
{
	if (a == NULL)
		return false;
	if (q->status == -1)
		return a->closed && !a->told;
	return told(a, q->status, q->says) && (q->says == NULL || strncmp(q->says, HEARD(""), strlen(HEARD(""))) != 0 ||
					       processes.heard == heard_as(&q->body));
}

static void questions(void)
{
	bool all = true;

	first_policy();
	LIFE(life_apply(KNOWN_INSPECTED, 0, 0)->status == ANSWER_YES);
	LIFE(life_pass(60 * SECOND) == LIFE_GOES_ON);
	for (size_t i = 0; i < sizeof(questions_) / sizeof(questions_[0]); i++) {
		const struct inquiry *q = &questions_[i];
		const struct answer *a = life_asks(q->way, &q->body, -1);

		/* Questions of logins have a pace. */
		LIFE(life_pass(SECOND / 5) == LIFE_GOES_ON);
		if (!as_it_must(q, a)) {
			printf("question %zu: %d %s\n", i, a != NULL && a->told ? a->status : -2,
			       a != NULL && a->whole != NULL ? a->whole : "no text");
			all = false;
		}
	}
	LIFE(all && sound_at_rest() && recorded(EVENT_MACHINE, MACHINE_BACKUP_TRIED) == 1);
}

/* ---- who may --------------------------------------------------------------------------------- */

static const struct msg_body status = { .type = MSG_STATUS };

static const struct answer *login_asks_status(void)
{
	const struct answer *a = life_asks(AS_LOGIN, &status, -1);

	LIFE(life_pass(SECOND / 5) == LIFE_GOES_ON);
	return a;
}

/* Only accounts says who somebody is, and whether he may. */
static void judged(void)
{
	const struct msg_body hold = { MSG_RECORDS, .records = { .order = RECORDS_HOLD, .text = "n" } };

	first_policy();
	processes.judged = ANSWER_INVALID;
	LIFE(told(login_asks_status(), ANSWER_CANNOT, "kaki"));
	LIFE(told(life_asks(OVER_WEB, &hold, -1), ANSWER_INVALID, NULL));
	LIFE(told(life_change(CHANGE_SAVE, 0, 0), ANSWER_INVALID, NULL));
	LIFE(told(life_change(CHANGE_ROLLBACK, 0, 0), ANSWER_INVALID, NULL) && rules_are(KNOWN_PLAIN));
	processes.judged = ANSWER_YES;
	processes.who = "{\"name\": \"\"}";
	LIFE(told(login_asks_status(), ANSWER_CANNOT, "error"));
	LIFE(told(life_asks(OVER_WEB, &hold, -1), ANSWER_CANNOT, NULL) && processes.heard != MSG_HOLD);
	LIFE(told(life_change(CHANGE_SAVE, 0, 0), ANSWER_CANNOT, NULL));
	LIFE(told(life_change(CHANGE_ROLLBACK, 0, 0), ANSWER_CANNOT, NULL) && rules_are(KNOWN_PLAIN));
	processes.who = NULL;
	LIFE(told(login_asks_status(), ANSWER_YES, "\"forwarding\":true"));
	LIFE(told(life_change(CHANGE_SAVE, 0, 0), ANSWER_YES, "\"revision\":1"));
}

/*
 * Two processes that were taken over: one writes root's order into its end of a channel that the
 * supervisor made (here: this process), and control hands the other end in with every message that
 * can carry it. The kernel says of that end that it is root's.
 */
static void handed_in(void)
{
	const struct msg_body order = { MSG_CTL_USER, .ctl_user = { .order = USER_ADD, .text = "{}" } };
	unsigned handed = 0;

	first_policy();
	for (enum msg_type t = MSG_NONE + 1; t < MSG_TYPE_COUNT; t++) {
		const struct msg_body with = { .type = t };
		int sv[2];

		LIFE(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, sv) == 0);
		LIFE(msg_send(sv[1], 1, &order, NULL, 0) == 0);
		processes.heard = MSG_NONE;
		if (msg_may_say(t, ROLE_CONTROL, ROLE_SUPERVISOR) &&
		    msg_send(ROLE_FD_CONTROL, relayed_id(SLOT_BOX, 7), &with, sv, 1) == 0) {
			handed++;
			LIFE(life_pass(5 * SECOND) == LIFE_GOES_ON && processes.heard == MSG_NONE);
		}
		close(sv[0]);
		close(sv[1]);
	}
	LIFE(handed > 0 && told(life_asks(AS_ROOT, &order, -1), ANSWER_YES, HEARD("accounts")));
}

/* Only the supervisor says in whose name something is recorded: control cannot give such an order
 * to a role. It may ask for the lists. */
static void names_of_control(void)
{
	static const struct {
		struct msg_body body;
		unsigned to;
		bool heard;
	} rows[] = {
		{ { .type = MSG_HOLD }, SLOT_JOURNAL, true },
		{ { MSG_HOLD, .hold = { .order = HOLD_PLACE, .by = "kaki" } }, SLOT_JOURNAL, false },
		{ { MSG_HOLD, .hold = { .order = HOLD_LIFT, .by = "kaki", .family = 4 } }, SLOT_JOURNAL, false },
		{ { MSG_DEVICES, .devices = { .order = DEVICES_COPY } }, SLOT_JOURNAL, true },
		{ { MSG_DEVICES, .devices = { .order = DEVICES_ACCEPT, .by = "kaki" } }, SLOT_JOURNAL, false },
		{ { MSG_ATTACKS, .attacks = { .order = ATTACKS_SILENCE, .by = "kaki" } }, SLOT_JOURNAL, false },
		{ { MSG_PRESERVE, .preserve = { .by = "kaki" } }, SLOT_JOURNAL, false },
		{ { MSG_REVIEW, .review = { .by = "kaki", .name = "kaki" } }, SLOT_ACCOUNTS, false },
	};

	first_policy();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		processes.heard = MSG_NONE;
		LIFE(msg_send(ROLE_FD_CONTROL, relayed_id(rows[i].to, 0xffff), &rows[i].body, NULL, 0) == 0);
		LIFE(life_pass(5 * SECOND) == LIFE_GOES_ON &&
		     processes.heard == (rows[i].heard ? rows[i].body.type : MSG_NONE));
	}
}

/* A login has few connections, and makes room when it is silent. */
static void many_logins(void)
{
	const struct msg_body look = { .type = MSG_EXPLAIN };
	uint32_t first, n;

	first_policy();
	processes.mute = ROLE_JOURNAL;
	first = person_asks(AS_LOGIN, &look, -1);
	for (unsigned i = 0; i < 3; i++) {
		LIFE(life_pass(SECOND / 5) == LIFE_GOES_ON);
		n = person_asks(AS_LOGIN, &look, -1);
	}
	LIFE(life_pass(SECOND / 5) == LIFE_GOES_ON && processes.answers[n].closed);
	LIFE(processes.answers[first].asked && !processes.answers[first].told);
	/* Root has room all the same. */
	LIFE(told(life_asks(AS_ROOT, &(struct msg_body){ .type = MSG_HISTORY }, -1), ANSWER_YES, "history"));
	/* A second question before the answer ends the connection. */
	LIFE(person_adds(first, 7, &status) && life_settle() == LIFE_GOES_ON && processes.answers[first].closed);
	processes.mute = ROLE_COUNT;
	LIFE(life_pass(30 * SECOND) == LIFE_GOES_ON);
	LIFE(told(login_asks_status(), ANSWER_YES, "\"forwarding\":true"));
}

/* Invalid bytes on the control socket close that connection alone, and more connections than there
 * are places are refused. */
static void rubbish(void)
{
	static const struct {
		const char *bytes;
		size_t n;
	} rows[] = {
		{ "", 0 },
		{ "x", 1 },
		{ "\0\0\0\0\0\0\0\0\0\0\0", 12 },
		{ "\0\x18\0\x01\0\0\0\x01\0\0\0\0x", 13 },
		{ "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 16 },
	};
	const struct msg_body history = { .type = MSG_HISTORY };
	int many[40];
	char back[4096];

	first_policy();
	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		const size_t row = i / 2;
		int fd = person_connects(AS_ROOT, (i & 1) != 0);
		ssize_t got;

		LIFE(fd >= 0 && send(fd, rows[row].bytes, rows[row].n, 0) == (ssize_t)rows[row].n);
		LIFE(life_settle() == LIFE_GOES_ON);
		got = recv(fd, back, sizeof(back), MSG_DONTWAIT);
		if (got != 0 && (got > 0 || errno != ECONNRESET)) {
			printf("rubbish %zu: %zd bytes came\n", i, got);
			LIFE(false);
		}
		close(fd);
	}
	for (size_t i = 0; i < sizeof(many) / sizeof(many[0]); i++) {
		many[i] = person_connects(AS_ROOT, (i & 1) != 0);
		LIFE(life_settle() == LIFE_GOES_ON);
	}
	for (size_t i = 0; i < sizeof(many) / sizeof(many[0]); i++)
		close(many[i]);
	LIFE(life_settle() == LIFE_GOES_ON);
	LIFE(told(life_asks(AS_ROOT, &history, -1), ANSWER_YES, "\"history\":["));
	LIFE(recorded(EVENT_ROLE, ROLE_DIED) == 0);
}

/* ---- roles that do not answer ---------------------------------------------------------------- */

static void mute(void)
{
	static const enum role roles[] = { ROLE_JOURNAL,  ROLE_ENFORCE, ROLE_TAP, ROLE_MGMT,
					   ROLE_ACCOUNTS, ROLE_GATE,	ROLE_DPI };
	static const struct {
		struct msg_body body;
		enum role by;
		const char *says;
	} orders[] = {
		{ { MSG_DEVICES, .devices = { .order = DEVICES_ACCEPT, .reason = "" } }, ROLE_JOURNAL, "journal" },
		{ { MSG_HOLD, .hold = { .order = HOLD_LIFT, .reason = "" } }, ROLE_JOURNAL, "journal" },
		{ { MSG_REVIEW, .review = { .name = "kaki", .note = "" } }, ROLE_ACCOUNTS, "accounts" },
		{ { .type = MSG_EXPLAIN }, ROLE_JOURNAL, "the journal process does not answer" },
		{ { .type = MSG_VERIFY }, ROLE_ENFORCE, "the enforce process does not answer" },
		{ { .type = MSG_EFFECTIVE }, ROLE_ENFORCE, "the enforce process does not answer" },
	};
	char silent[64];

	first_policy();
	LIFE(life_apply(KNOWN_INSPECTED, 0, 0)->status == ANSWER_YES);
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		uint32_t n;

		processes.mute = roles[i];
		n = person_asks(AS_ROOT, &status, -1);
		LIFE(life_pass(4 * SECOND) == LIFE_GOES_ON);
		(void)snprintf(silent, sizeof(silent), "\"silent\":[{\"role\":\"%s\"", role_name(roles[i]));
		LIFE(told(&processes.answers[n], ANSWER_YES, silent));
	}
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		uint32_t n;

		processes.mute = orders[i].by;
		n = person_asks(AS_ROOT, &orders[i].body, -1);
		LIFE(life_pass(21 * SECOND) == LIFE_GOES_ON);
		LIFE(told(&processes.answers[n], ANSWER_CANNOT, orders[i].says));
	}
	/* A role that dies with the question. */
	processes.mute = ROLE_JOURNAL;
	{
		uint32_t n = person_asks(AS_ROOT, &(struct msg_body){ .type = MSG_EXPLAIN }, -1);

		LIFE(life_settle() == LIFE_GOES_ON && process_die(ROLE_JOURNAL) && life_settle() == LIFE_GOES_ON);
		LIFE(told(&processes.answers[n], ANSWER_CANNOT, "journal"));
	}
}

/* ---- the draft ------------------------------------------------------------------------------- */

#define TWO(name, approvers) "{\"name\": \"" name "\", \"two_persons\": true, \"approvers\": [" approvers "]}"

/* What an order about the draft is answered, and in which state it leaves the draft. */
static void draft_is(enum change_order order, uint32_t confirm_s, int status_, const char *what, const char *state)
{
	const struct answer *a = life_change(order, confirm_s, 0);
	/* Questions of the web side have a pace. */
	(void)life_pass(SECOND);
	char text[40];

	(void)snprintf(text, sizeof(text), "\"state\":\"%s\"", state);
	if (!told(a, status_, what) || !says(a, text)) {
		printf("order %d, then %s: %d %s\n", (int)order, state, a != NULL && a->told ? a->status : -2,
		       a != NULL && a->whole != NULL ? a->whole : "no text");
		LIFE(false);
	}
}

static void two_persons(void)
{
	static const char kaki[] = TWO("kaki", "\"nashi\""), nashi[] = TWO("nashi", "\"nashi\""),
			  nobody[] = TWO("kaki", "");

	first_policy();
	processes.draft = KNOWN_WIDER;
	processes.who = kaki;
	draft_is(CHANGE_ASK, 0, ANSWER_CANNOT, "error", "none");
	/* The comment stays when the draft is saved again without one. */
	processes.comment = "by noon";
	draft_is(CHANGE_SAVE, 0, ANSWER_YES, "\"comment\":\"by noon\"", "draft");
	processes.comment = NULL;
	draft_is(CHANGE_SAVE, 0, ANSWER_YES, "\"comment\":\"by noon\"", "draft");
	draft_is(CHANGE_ASK, 0, ANSWER_CANNOT, "first make a dry run", "draft");
	draft_is(CHANGE_APPROVE, 0, ANSWER_CANNOT, "error", "draft");
	draft_is(CHANGE_TRY, 0, ANSWER_YES, "\"good\":true", "draft");
	draft_is(CHANGE_APPLY, 60, ANSWER_CANNOT, "is not approved", "draft");
	draft_is(CHANGE_ASK, 0, ANSWER_YES, NULL, "asked");
	draft_is(CHANGE_ASK, 0, ANSWER_CANNOT, "error", "asked");
	draft_is(CHANGE_APPROVE, 0, ANSWER_CANNOT, "another person has to approve", "asked");
	LIFE(says(life_asks(AS_ROOT, &status, -1), "\"state\":\"asked\""));
	processes.who = nashi;
	draft_is(CHANGE_DECLINE, 0, ANSWER_YES, "\"decided_by\":\"nashi\"", "draft");
	processes.who = kaki;
	draft_is(CHANGE_ASK, 0, ANSWER_YES, NULL, "asked");
	processes.who = nashi;
	draft_is(CHANGE_APPROVE, 0, ANSWER_YES, "\"decided_by\":\"nashi\"", "approved");
	/* Whoever approved must still be one who may. */
	processes.who = nobody;
	draft_is(CHANGE_APPLY, 60, ANSWER_CANNOT, "may not approve any more", "asked");
	LIFE(recorded(EVENT_POLICY, POLICY_APPROVAL_LOST) == 1 && rules_are(KNOWN_PLAIN));
	processes.who = nashi;
	draft_is(CHANGE_APPROVE, 0, ANSWER_YES, NULL, "approved");
	processes.who = kaki;
	draft_is(CHANGE_APPLY, 10, ANSWER_CANNOT, "error", "approved");
	draft_is(CHANGE_APPLY, 60, ANSWER_YES, NULL, "applied");
	LIFE(rules_are(KNOWN_WIDER) && processes.standing.trial == 2);
	draft_is(CHANGE_DISCARD, 0, ANSWER_CANNOT, "error", "applied");
	draft_is(CHANGE_APPLY, 60, ANSWER_CANNOT, "error", "applied");
	/* Nobody confirms: the approval of a trial that ran out is void. */
	LIFE(life_pass(61 * SECOND) == LIFE_GOES_ON && rules_are(KNOWN_PLAIN));
	LIFE(says(life_asks(AS_ROOT, &(struct msg_body){ .type = MSG_DRAFT }, -1), "\"ran_out\":2"));
	LIFE(recorded(EVENT_POLICY, POLICY_DRAFTED) == 2 && recorded(EVENT_POLICY, POLICY_DECLINED) == 1);
	draft_is(CHANGE_DISCARD, 0, ANSWER_YES, NULL, "none");
	LIFE(recorded(EVENT_POLICY, POLICY_DISCARDED) == 1 && sound_at_rest());
}

/* A draft was written for the generation that was in force, and for what its author saw of it. */
static void of_another_state(void)
{
	struct msg_body m = { MSG_CHANGE, .change = { .order = CHANGE_ASK, .secret = { 1 }, .comment = "" } };

	first_policy();
	processes.draft = KNOWN_WIDER;
	draft_is(CHANGE_SAVE, 0, ANSWER_YES, "\"revision\":1", "draft");
	m.change.revision = 7;
	LIFE(told(life_asks(OVER_WEB, &m, -1), ANSWER_CANNOT, "revision 1"));
	LIFE(life_apply(KNOWN_INSPECTED, 0, 0)->status == ANSWER_YES);
	draft_is(CHANGE_ASK, 0, ANSWER_CANNOT, "save it again", "draft");
	draft_is(CHANGE_APPLY, 60, ANSWER_CANNOT, "save it again", "draft");
	draft_is(CHANGE_SAVE, 0, ANSWER_YES, "\"base\":2", "draft");
	/* The draft outlives the daemon, and its dry run does not. */
	draft_is(CHANGE_TRY, 0, ANSWER_YES, "\"good\":true", "draft");
	life_kill();
	LIFE(life_boot() == LIFE_GOES_ON);
	draft_is(CHANGE_ASK, 0, ANSWER_CANNOT, "first make a dry run", "draft");
	/* Nothing of it is on a disk that is full. */
	machine.disk_full = true;
	processes.draft = KNOWN_PLAIN;
	draft_is(CHANGE_SAVE, 0, ANSWER_CANNOT, "\"revision\":2", "draft");
	draft_is(CHANGE_DISCARD, 0, ANSWER_CANNOT, "\"revision\":2", "draft");
	machine.disk_full = false;
	draft_is(CHANGE_SAVE, 0, ANSWER_YES, "\"revision\":3", "draft");
	life_off(false);
	LIFE(life_boot() == LIFE_GOES_ON);
	draft_is(CHANGE_DISCARD, 0, ANSWER_YES, "\"revision\":3", "none");
}

/* ---- whoever leaves -------------------------------------------------------------------------- */

static void leaving(void)
{
	const struct msg_body look = { MSG_EFFECTIVE, .effective = { .tell = 1 } };
	uint32_t n;

	first_policy();
	/* A dry run ends with its asker, and a change does not. */
	for (unsigned dry = 0; dry < 2; dry++) {
		const struct msg_body m = { MSG_CTL_CHANGE,
					    .ctl_change = { .order = CHANGE_APPLY,
							    .flags = dry != 0 ? APPLY_DRY_RUN | APPLY_TELL : APPLY_TELL,
							    .comment = "" } };
		int fd = policy_bundle(KNOWN_INSPECTED);

		processes.worker = WORKER_SLEEPS;
		processes.compile = dry != 0 ? COMPILE_SLEEPS : COMPILE_WORKS;
		n = person_asks(AS_ROOT, &m, fd);
		close(fd);
		LIFE(life_settle() == LIFE_GOES_ON && processes.answers[n].reports > 0);
		LIFE(processes.standing.busy == 1);
		person_leaves(n);
		LIFE(life_settle() == LIFE_GOES_ON && processes.standing.busy == (dry == 0));
		processes.worker = WORKER_TAKES;
		LIFE(life_pass(30 * SECOND) == LIFE_GOES_ON && processes.standing.busy == 0);
		LIFE(rules_are(KNOWN_INSPECTED) && sound_at_rest());
	}
	/* A question is stopped, and the next one is answered. */
	processes.mute = ROLE_ENFORCE;
	n = person_asks(AS_ROOT, &look, -1);
	LIFE(life_settle() == LIFE_GOES_ON);
	person_leaves(n);
	LIFE(life_settle() == LIFE_GOES_ON);
	processes.mute = ROLE_COUNT;
	LIFE(life_pass(21 * SECOND) == LIFE_GOES_ON);
	LIFE(told(life_asks(AS_ROOT, &look, -1), ANSWER_YES, "\"conduits\":["));
	/* The web side dies with an order of an account that accounts has not judged. */
	LIFE(process_freeze(ROLE_ACCOUNTS));
	n = person_asks(OVER_WEB,
			&(struct msg_body){ MSG_CHANGE, .change = { .order = CHANGE_ROLLBACK, .comment = "" } }, -1);
	LIFE(life_settle() == LIFE_GOES_ON && process_die(ROLE_MGMT) && life_settle() == LIFE_GOES_ON);
	LIFE(!processes.answers[n].told && life_pass(10 * SECOND) == LIFE_GOES_ON);
	LIFE(rules_are(KNOWN_INSPECTED) && sound_at_rest());
}

/* The check of an account ends with its asker as well. */
static void leaving_a_check(void)
{
	const struct msg_body check = { MSG_CHANGE, .change = { .order = CHANGE_CHECK, .comment = "" } };
	int fd = policy_bundle(KNOWN_PLAIN);
	uint32_t n;

	first_policy();
	for (unsigned early = 0; early < 2; early++) {
		processes.compile = COMPILE_SLEEPS;
		LIFE(early == 0 || process_freeze(ROLE_ACCOUNTS));
		n = person_asks(AS_LOGIN, &check, fd);
		LIFE(life_settle() == LIFE_GOES_ON && processes.standing.busy == (early == 0));
		person_leaves(n);
		LIFE(life_settle() == LIFE_GOES_ON && processes.standing.busy == 0);
		LIFE(early == 0 || process_die(ROLE_ACCOUNTS));
		processes.compile = COMPILE_WORKS;
		LIFE(life_pass(2 * SECOND) == LIFE_GOES_ON && processes.standing.busy == 0 && sound_at_rest());
	}
	LIFE(told(life_asks(AS_LOGIN, &check, fd), ANSWER_YES, "\"done\":true"));
}

/* An order that ends before accounts has judged it leaves its place to others. */
static void leaving_early(void)
{
	const struct msg_body check = { MSG_CHANGE, .change = { .order = CHANGE_CHECK, .comment = "" } };
	int fd = policy_bundle(KNOWN_PLAIN);

	first_policy();
	for (unsigned i = 0; i < 20; i++) {
		LIFE(process_freeze(ROLE_ACCOUNTS) && person_asks(OVER_WEB, &check, fd) != 0);
		LIFE(life_settle() == LIFE_GOES_ON && process_die(ROLE_MGMT) && life_settle() == LIFE_GOES_ON);
		LIFE(process_die(ROLE_ACCOUNTS) && life_pass(10 * SECOND) == LIFE_GOES_ON);
	}
	LIFE(told(life_asks(OVER_WEB, &check, fd), ANSWER_YES, "\"done\":true"));
}

/* A dry run that waits behind the box's own work leaves its place to others as well. */
static void leaving_a_queue(void)
{
	const struct msg_body m = { MSG_CTL_CHANGE,
				    .ctl_change = { .order = CHANGE_APPLY, .flags = APPLY_DRY_RUN, .comment = "" } };
	int fd = policy_bundle(KNOWN_PLAIN);

	first_policy();
	for (unsigned i = 0; i < 40; i++) {
		uint32_t n;

		processes.enforce = ENFORCE_SLEEPS;
		LIFE(process_die(ROLE_ENFORCE) && life_pass(SECOND / 2) == LIFE_GOES_ON &&
		     processes.standing.busy == 1);
		n = person_asks(AS_ROOT, &m, fd);
		LIFE(life_settle() == LIFE_GOES_ON && !processes.answers[n].told);
		person_leaves(n);
		LIFE(life_settle() == LIFE_GOES_ON && process_die(ROLE_ENFORCE));
		LIFE(life_pass(2 * SECOND) == LIFE_GOES_ON && processes.standing.busy == 0);
	}
	LIFE(told(life_asks(AS_ROOT, &m, fd), ANSWER_YES, "\"done\":true"));
}

/* ---- backups --------------------------------------------------------------------------------- */

static const struct answer *backup(enum way way)
{
	const struct msg_body m = { .type = MSG_BACKUP };

	return life_asks(way, &m, memfd_sealed("life", "certificate", 11));
}

static void backups(void)
{
	static const struct {
		enum seal_trouble trouble;
		int status;
		const char *says;
	} troubles[] = {
		{ SEAL_NO_TROUBLE, ANSWER_YES, "sealed" },
		{ SEAL_NO_CERTIFICATE, ANSWER_INVALID, "--to" },
		{ SEAL_PRIVATE_KEY, ANSWER_INVALID, "error" },
		{ SEAL_NONSENSE, ANSWER_CANNOT, "could not be put together" },
	};
	const struct answer *first;
	uint32_t number;

	first_policy();
	LIFE(life_apply(KNOWN_WIDER, 60, 0)->status == ANSWER_YES);
	LIFE(told(backup(AS_ROOT), ANSWER_CANNOT, "error") && life_confirm(0)->status == ANSWER_YES);
	for (size_t i = 0; i < sizeof(troubles) / sizeof(troubles[0]); i++) {
		processes.seal = troubles[i].trouble;
		LIFE(told(backup(AS_ROOT), troubles[i].status, troubles[i].says));
	}
	LIFE(recorded(EVENT_POLICY, POLICY_BACKED_UP) == 1);
	LIFE(told(backup(AS_LOGIN), ANSWER_CANNOT, "only root may choose"));
	processes.seal = SEAL_NO_TROUBLE;
	/* One at a time; it ends with the process that seals, after its time, or when the policy
	 * changes. */
	processes.mute = ROLE_COMPILE;
	first = backup(AS_ROOT);
	LIFE(!first->told && told(backup(AS_ROOT), ANSWER_CANNOT, "another backup"));
	LIFE(process_die(ROLE_COMPILE) && life_settle() == LIFE_GOES_ON);
	LIFE(told(first, ANSWER_CANNOT, "could not be put together"));
	first = backup(AS_ROOT);
	LIFE(life_pass(91 * SECOND) == LIFE_GOES_ON && told(first, ANSWER_CANNOT, "could not be put together"));
	first = backup(AS_ROOT);
	number = processes.asked;
	LIFE(!first->told);
	person_leaves(number);
	LIFE(life_settle() == LIFE_GOES_ON);
	processes.mute = ROLE_JOURNAL;
	first = backup(AS_ROOT);
	LIFE(!first->told && life_apply(KNOWN_PLAIN, 0, 0)->status == ANSWER_YES);
	LIFE(life_pass(SECOND) == LIFE_GOES_ON && told(first, ANSWER_CANNOT, "error"));
	processes.mute = ROLE_COUNT;
	LIFE(told(backup(AS_ROOT), ANSWER_YES, "sealed") && recorded(EVENT_POLICY, POLICY_BACKED_UP) == 2);
	/* A question that a compiler works on gives way, and is answered afterwards; one that
	 * takes too long is in nobody's way. */
	processes.mute = ROLE_COMPILE;
	number = person_asks(OVER_WEB, &(struct msg_body){ .type = MSG_ASK }, -1);
	LIFE(life_settle() == LIFE_GOES_ON && !processes.answers[number].told);
	processes.mute = ROLE_COUNT;
	LIFE(told(backup(AS_ROOT), ANSWER_YES, "sealed") && life_settle() == LIFE_GOES_ON);
	LIFE(told(&processes.answers[number], ANSWER_YES, HEARD("compile")));
	/* The same for an operation of the box. */
	processes.mute = ROLE_COMPILE;
	number = person_asks(OVER_WEB, &(struct msg_body){ .type = MSG_ASK }, -1);
	LIFE(life_settle() == LIFE_GOES_ON && !processes.answers[number].told);
	LIFE(life_apply(KNOWN_WIDER, 0, 0)->status == ANSWER_YES && life_settle() == LIFE_GOES_ON);
	LIFE(!processes.answers[number].told && process_lives(ROLE_COMPILE));
	processes.mute = ROLE_COUNT;
	LIFE(process_die(ROLE_COMPILE) && life_settle() == LIFE_GOES_ON);
	LIFE(told(&processes.answers[number], ANSWER_CANNOT, "error"));
	processes.mute = ROLE_COMPILE;
	number = person_asks(OVER_WEB, &(struct msg_body){ .type = MSG_ASK }, -1);
	LIFE(life_settle() == LIFE_GOES_ON && life_pass(9 * SECOND) == LIFE_GOES_ON);
	LIFE(told(&processes.answers[number], ANSWER_CANNOT, "error"));
	processes.mute = ROLE_COUNT;
	LIFE(told(backup(AS_ROOT), ANSWER_YES, "sealed") && recorded(EVENT_POLICY, POLICY_BACKED_UP) == 4);
}

/* ---- what is due ----------------------------------------------------------------------------- */

#define DAY (86400ull * SECOND)

/* Conduits that begin, end and have hours; reviews, certificates, tried backups. */
static void in_time(void)
{
	const uint64_t now = machine.wall_ns / SECOND;

	processes.certified = (struct msg_certified){
		.n = 1, .from = { now - 1000 }, .until = { now + 60 * 86400 }, .subject = "CN=box"
	};
	first_policy();
	LIFE(life_apply(KNOWN_TIMED, 0, 0)->status == ANSWER_YES);
	LIFE(life_pass(20 * SECOND) == LIFE_GOES_ON);
	LIFE(recorded(EVENT_POLICY, POLICY_HOURS_BEGAN) == 0 && recorded(EVENT_POLICY, POLICY_CONDUIT_BEGAN) == 0);
	LIFE(says(life_asks(AS_ROOT, &status, -1), "\"window\":\"evening\",\"label\":\"\",\"open\":false"));
	LIFE(life_pass(200 * SECOND) == LIFE_GOES_ON && recorded(EVENT_POLICY, POLICY_HOURS_BEGAN) == 1);
	LIFE(says(life_asks(AS_ROOT, &status, -1), "\"window\":\"evening\",\"label\":\"\",\"open\":true"));
	/* A daemon that did not live at the end records it at its start. */
	LIFE(life_stop() == LIFE_ENDED);
	machine.mono_ns += 700 * SECOND;
	machine.wall_ns += 700 * SECOND;
	LIFE(life_boot() == LIFE_GOES_ON && life_pass(2 * SECOND) == LIFE_GOES_ON);
	LIFE(recorded(EVENT_POLICY, POLICY_HOURS_BEGAN) == 1 && recorded(EVENT_POLICY, POLICY_HOURS_ENDED) == 1);
	LIFE(life_pass(3600 * SECOND) == LIFE_GOES_ON && recorded(EVENT_POLICY, POLICY_CONDUIT_BEGAN) == 1);
	/* Near its end, and the certificate too; then over, and reviews overdue. */
	LIFE(recorded(EVENT_POLICY, POLICY_ENDS_SOON) <= 1 && recorded(EVENT_MACHINE, MACHINE_CERTIFICATE_ENDED) == 0);
	machine.wall_ns += 12 * DAY;
	LIFE(life_pass(120 * SECOND) == LIFE_GOES_ON && recorded(EVENT_POLICY, POLICY_ENDS_SOON) == 1);
	LIFE(says(life_asks(AS_ROOT, &status, -1), "\"conduit\":\"e\""));
	LIFE(recorded(EVENT_POLICY, POLICY_REVIEW_OVERDUE) == 0);
	machine.wall_ns += 60 * DAY;
	LIFE(life_pass(120 * SECOND) == LIFE_GOES_ON && recorded(EVENT_MACHINE, MACHINE_CERTIFICATE_ENDED) == 1);
	machine.wall_ns += 1600 * DAY;
	LIFE(life_pass(120 * SECOND) == LIFE_GOES_ON && recorded(EVENT_POLICY, POLICY_REVIEW_OVERDUE) == 1);
	LIFE(says(life_asks(AS_ROOT, &status, -1), "\"overdue\":5") &&
	     says(life_asks(AS_ROOT, &status, -1), "\"state\":\"ended\""));
}

#define LIVES(each)                                                                                                    \
	each(questions) each(judged) each(handed_in) each(names_of_control) each(many_logins) each(rubbish) each(mute) \
		each(two_persons) each(of_another_state) each(leaving) each(leaving_early) each(leaving_a_check)       \
			each(leaving_a_queue) each(backups) each(in_time)
LIVES(A_LIFE)

int main(void)
{
	const struct CMUnitTest tests[] = { LIVES(A_TEST) };

	policies_make();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
