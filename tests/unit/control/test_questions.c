/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much of the room for questions a compromised web side can take, and who gets an answer if the
 * web side dies meanwhile. Roles are scripted: they receive questions, and answer only when the
 * test says so.
 *
 * LINK: appliance/control/answers.c appliance/base/json.c appliance/base/addr.c
 * LINK: appliance/base/utf8.c appliance/base/memfd.c
 * LINK: appliance/base/bytes.c appliance/base/sha256.c appliance/base/err.c appliance/base/clock.c
 * LIBS: jansson nettle
 */
#include "appliance/control/answers.h"
#include "appliance/control/control.h"
#include "appliance/control/facts.h"
#include "appliance/control/ground.h"
#include "appliance/control/impact.h"
#include "appliance/control/people.h"
#include "appliance/control/role_json.h"
#include "tests/unit/cmocka.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "appliance/base/memfd.h"
#include "appliance/control/answers_private.h"
#include "appliance/store/in_force.h"

#define FLOOD 500u

static struct control s;
static struct in_force in_force;
static struct ir policy;
static unsigned heard[MSG_TYPE_COUNT]; /* questions that the roles have got, by kind */
static unsigned answered[ASKER_CERTIFICATE + 1], refused, passed;
static uint32_t last_asked;
static unsigned last_slot;
static uint64_t scripted; /* the time, 0 = the real one */
static bool texts[SLOTS]; /* the roles whose status is read as text */
static bool wanted;	  /* the role enforce is to report the progress of the last question */
static struct asker told; /* the asker who was told last */
static enum progress_stage told_stage;
static unsigned tellings;

void impact_answer(struct control *of, uint32_t id, json_t *j)
{
	(void)of, (void)id, (void)j;
}

json_t *told_answer(const struct control *of, json_t *j)
{
	(void)of;
	return j;
}

bool ask_slot(struct control *of, unsigned slot, uint32_t number, const struct msg_body *body, const int *fds, size_t n)
{
	(void)of, (void)fds, (void)n;
	if (body->type != MSG_BOX) {
		heard[body->type]++;
		last_slot = slot;
		last_asked = number;
	}
	if (body->type == MSG_VERIFY)
		wanted = body->verify.tell != 0;
	else if (body->type == MSG_EFFECTIVE)
		wanted = body->effective.tell != 0;
	return true;
}

bool slot_is_wanted(const struct control *of, unsigned slot)
{
	return slot == SLOT_BOX || slot == SLOT_ERRAND || of->facts.state[slot] != SLOT_OFF;
}

enum role slot_role(unsigned slot)
{
	(void)slot;
	return ROLE_ENFORCE;
}

uint32_t slot_index(unsigned slot)
{
	(void)slot;
	return 0;
}

void progress_to(struct control *of, const struct asker *a, const struct msg_progress *said)
{
	(void)of;
	tellings++;
	told = *a;
	told_stage = (enum progress_stage)said->stage;
}

void progress_stage_to(struct control *of, const struct asker *a, enum progress_stage stage)
{
	progress_to(of, a, &(struct msg_progress){ .stage = (uint8_t)stage });
}

void respond_json(struct control *of, struct asker a, int status, json_t *j)
{
	(void)of;
	if (a.kind != ASKER_NONE) {
		answered[a.kind]++;
		refused += status == ANSWER_CANNOT;
	}
	json_decref(j);
}

void respond_fd(struct control *of, struct asker a, int status, int fd)
{
	(void)of, (void)status, (void)fd;
	passed += a.kind != ASKER_NONE;
}

json_t *json_sentence(enum message m, ...)
{
	(void)m;
	return json_object();
}

bool asker_is(const struct asker *a, const struct asker *b)
{
	return a->kind == b->kind && a->client == b->client && a->serial == b->serial && a->id == b->id;
}

const char *role_name(enum role r)
{
	(void)r;
	return "role";
}

static json_t *composed(struct control *of, struct collect *c, int *status)
{
	(void)of;
	*status = ANSWER_YES;
	for (unsigned i = 0; i < SLOTS; i++)
		texts[i] = c->answer[i] != NULL;
	return json_object();
}

struct msg_retention retention_now(const struct ir *ir, uint64_t trial, bool trusted)
{
	(void)ir, (void)trial, (void)trusted;
	return (struct msg_retention){ 0 };
}

json_t *role_json(const struct msg_body *says, uint32_t index)
{
	(void)says, (void)index;
	return json_object();
}

uint64_t now_ns(void)
{
	return scripted != 0 ? scripted : clock_mono().ns;
}

static int begin(void **state)
{
	struct err e;

	(void)state;
	memset(&s, 0, sizeof(s));
	memset(heard, 0, sizeof(heard));
	memset(answered, 0, sizeof(answered));
	refused = passed = tellings = 0;
	scripted = 0;
	s.compose = composed;
	in_force.ir = &policy;
	s.now = &in_force;
	s.facts.state[SLOT_ENFORCE] = s.facts.state[SLOT_JOURNAL] = s.facts.state[SLOT_DPI] = SLOT_RUNNING;
	return collect_open(&s, &e);
}

static int finish(void **state)
{
	(void)state;
	collect_due(&s, UINT64_MAX); /* everybody who waits is told */
	collect_due(&s, UINT64_MAX); /* once more, if the supervisor was asked as well */
	free(s.collects);
	return 0;
}

static void web_asks(enum collect_kind k, unsigned times)
{
	for (unsigned i = 0; i < times; i++)
		collect_start(&s, k, (struct asker){ .kind = ASKER_MGMT, .id = i + 1 });
}

static void floods_leave_room_for_people(void **state)
{
	(void)state;
	web_asks(COLLECT_EFFECTIVE, FLOOD);
	web_asks(COLLECT_STATUS, FLOOD);
	for (unsigned i = 0; i < FLOOD; i++)
		collect_pass(&s, SLOT_JOURNAL, &(struct msg_body){ .type = MSG_EVENTS },
			     (struct asker){ .kind = ASKER_MGMT });
	assert_true(answered[ASKER_MGMT] > 0 && answered[ASKER_MGMT] == refused);
	for (uint32_t i = 0; i < CLIENTS; i++)
		collect_start(&s, COLLECT_VERIFY, (struct asker){ .kind = ASKER_CLIENT, .client = i });
	assert_int_equal(heard[MSG_VERIFY], CLIENTS);
	assert_int_equal(answered[ASKER_CLIENT], 0);
}

/* Each of these questions reads the kernel's rules, and an apply waits behind those that were asked
 * before. */
static void few_read_the_rules_back(void **state)
{
	(void)state;
	web_asks(COLLECT_EFFECTIVE, FLOOD);
	/* Each is sent to enforce and to the journal. */
	assert_in_range(heard[MSG_EFFECTIVE] / 2, 1, 2);
	assert_int_equal(refused, FLOOD - heard[MSG_EFFECTIVE] / 2);
	web_asks(COLLECT_STATUS, 1);
	assert_int_equal(refused, FLOOD - heard[MSG_EFFECTIVE] / 2);
	collect_start(&s, COLLECT_EFFECTIVE, (struct asker){ .kind = ASKER_CLIENT });
	assert_int_equal(answered[ASKER_CLIENT], 0);
	/* Logins other than root's have as few places, and take none from root. */
	heard[MSG_VERIFY] = refused = 0;
	for (unsigned i = 0; i < 6; i++)
		collect_start(&s, i % 2 == 0 ? COLLECT_VERIFY : COLLECT_EFFECTIVE,
			      (struct asker){ .kind = ASKER_CLIENT, .client = 4 + i, .login = true });
	assert_int_equal(answered[ASKER_CLIENT], 4);
	assert_int_equal(refused, 4);
	collect_start(&s, COLLECT_STATUS, (struct asker){ .kind = ASKER_CLIENT, .client = 4, .login = true });
	collect_start(&s, COLLECT_VERIFY, (struct asker){ .kind = ASKER_CLIENT, .client = 1 });
	assert_int_equal(answered[ASKER_CLIENT], 4);
}

/* A client that asks, disconnects and comes again only gets the places of questions that nobody
 * waits for. */
static void logins_leave_room_for_root(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < FLOOD; i++)
		collect_pass(&s, SLOT_JOURNAL, &(struct msg_body){ .type = MSG_EVENTS },
			     (struct asker){ .kind = i % 2 == 0 ? ASKER_LOGIN : ASKER_CLIENT,
					     .client = i % CLIENTS,
					     .login = true });
	assert_int_equal(heard[MSG_EVENTS], LOGINS_MOST + 1);
	web_asks(COLLECT_STATUS, FLOOD);
	for (uint32_t i = LOGINS_MOST; i < CLIENTS; i++)
		collect_start(&s, COLLECT_VERIFY, (struct asker){ .kind = ASKER_CLIENT, .client = i });
	assert_int_equal(heard[MSG_VERIFY], CLIENTS - LOGINS_MOST);
}

/* The web side asks as fast as it can for a second: its questions are read at a limited rate,
 * whether they are answered, refused or still open. */
static void floods_are_heard_slowly(void **state)
{
	const uint64_t begun = 1000000000000u;
	unsigned asked = 0;

	(void)state;
	for (scripted = begun; scripted < begun + 1000000000u; scripted += 1000000u)
		for (unsigned i = 0; i < FLOOD && scripted >= collect_hears(&s); i++, asked++)
			if (asked % 2 == 0)
				web_asks(COLLECT_STATUS, 1);
			else
				collect_pass(&s, SLOT_JOURNAL, &(struct msg_body){ .type = MSG_EVENTS },
					     (struct asker){ .kind = ASKER_MGMT });
	assert_in_range(asked, 100, 130);
	/* The web side never waits within its limits, nor because of questions from the command
	 * line. */
	scripted += 1000000000u;
	web_asks(COLLECT_STATUS, 16);
	for (uint32_t i = 0; i < FLOOD; i++)
		collect_start(&s, COLLECT_STATUS, (struct asker){ .kind = ASKER_CLIENT, .client = i % CLIENTS });
	assert_true(scripted >= collect_hears(&s));
}

/* The role enforce reports that it has finished this question, or stopped. */
static void enforce_says(uint32_t question)
{
	struct msg m = { .body = { .type = MSG_ANSWER },
			 .id = relayed_id(SLOT_ENFORCE, question),
			 .fds = { -1, -1, -1, -1 } };

	assert_true(collect_answer(&s, &m));
	collect_status(&s, &(struct msg){ .body.type = MSG_DPI_STATUS, .id = relayed_id(SLOT_DPI, question) });
	collect_status(&s, &(struct msg){ .body.type = MSG_JOURNAL_STATUS, .id = relayed_id(SLOT_JOURNAL, question) });
	m.id = relayed_id(SLOT_BOX, question);
	assert_true(collect_answer(&s, &m));
}

/* One of two askers no longer waits: enforce is told about this question only, the other asker gets
 * an answer, and the place is free when enforce has stopped. */
static void who_waits_no_longer_is_let_go(void **state)
{
	const struct asker one = { .kind = ASKER_MGMT, .id = 1 }, two = { .kind = ASKER_MGMT, .id = 2 };
	uint32_t first, second;

	(void)state;
	collect_start(&s, COLLECT_VERIFY, one);
	first = s.next_id;
	collect_start(&s, COLLECT_VERIFY, two);
	second = s.next_id;
	collect_stop(&s, &one);
	collect_stop(&s, &one);
	assert_int_equal(heard[MSG_STOP], 1);
	assert_int_equal(last_asked, first);
	/* Disconnecting and asking again, however often, takes no third place. */
	for (uint32_t i = 3; i < FLOOD; i++) {
		const struct asker again = { .kind = ASKER_MGMT, .id = i };

		collect_start(&s, COLLECT_VERIFY, again);
		collect_stop(&s, &again);
	}
	assert_int_equal(heard[MSG_VERIFY], 2);
	assert_int_equal(heard[MSG_STOP], 1);
	refused = answered[ASKER_MGMT] = 0;
	enforce_says(second);
	assert_int_equal(answered[ASKER_MGMT], 1);
	enforce_says(first);
	assert_int_equal(answered[ASKER_MGMT], 1);
	web_asks(COLLECT_VERIFY, 2);
	assert_int_equal(heard[MSG_VERIFY], 4);
	assert_int_equal(refused, 0);
}

/* While a change is in progress the question is not even sent. The disconnection of another person
 * does not end this question. */
static void stopped_before_it_is_asked(void **state)
{
	const struct asker man = { .kind = ASKER_CLIENT, .client = 1, .serial = 7 },
			   other = { .kind = ASKER_CLIENT, .client = 1, .serial = 8 };

	(void)state;
	s.facts.busy = true;
	collect_start(&s, COLLECT_VERIFY, man);
	collect_start(&s, COLLECT_VERIFY, other);
	collect_stop(&s, &man);
	s.facts.busy = false;
	collect_settled(&s);
	assert_int_equal(heard[MSG_VERIFY], 1);
	assert_int_equal(heard[MSG_STOP], 0);
	collect_stop(&s, &man);
	assert_int_equal(heard[MSG_STOP], 0);
	collect_stop(&s, &other);
	assert_int_equal(heard[MSG_STOP], 1);
}

/* The role enforce reports the progress of this question. */
static void enforce_tells(uint32_t question, enum progress_stage stage)
{
	const struct msg m = { .body = { MSG_PROGRESS, .progress = { .stage = (uint8_t)stage, .done = 1, .of = 2 } },
			       .id = relayed_id(SLOT_ENFORCE, question) };

	struct asker a = collect_heard(&s, m.id);

	if (a.kind != ASKER_NONE && a.tell)
		progress_to(&s, &a, &m.body.progress);
}

/* Two people ask the same: each is told about their own question, and the second at once that
 * another one comes first. A person who has gone, or was answered, is told nothing more. */
static void each_hears_how_far_his_own_is(void **state)
{
	const struct asker one = { .kind = ASKER_MGMT, .id = 1, .tell = true },
			   two = { .kind = ASKER_CLIENT, .client = 3, .serial = 9, .tell = true },
			   three = { .kind = ASKER_CLIENT, .client = 4, .serial = 10 };
	uint32_t first, second;

	(void)state;
	collect_start(&s, COLLECT_VERIFY, one);
	first = s.next_id;
	assert_true(wanted);
	assert_int_equal(tellings, 0);
	collect_start(&s, COLLECT_VERIFY, two);
	second = s.next_id;
	assert_int_equal(tellings, 1);
	assert_true(asker_is(&told, &two));
	assert_int_equal(told_stage, PROGRESS_WAITS_TURN);
	enforce_tells(first, PROGRESS_READS);
	assert_true(asker_is(&told, &one));
	assert_int_equal(told_stage, PROGRESS_READS);
	enforce_tells(second, PROGRESS_PACKETS);
	assert_true(asker_is(&told, &two));
	assert_int_equal(tellings, 3);
	collect_stop(&s, &one);
	enforce_tells(first, PROGRESS_COMPARES);
	enforce_tells(first + 77, PROGRESS_COMPARES);
	enforce_says(second);
	enforce_tells(second, PROGRESS_COMPARES);
	assert_int_equal(tellings, 3);
	collect_start(&s, COLLECT_EFFECTIVE, three);
	assert_false(wanted);
}

/* The policy in force is being changed: the person is told that the question waits for that, and
 * about the question itself when it begins. A question during which the policy changes begins
 * anew. */
static void told_across_a_change(void **state)
{
	const struct asker man = { .kind = ASKER_CLIENT, .client = 1, .serial = 7, .tell = true };

	(void)state;
	s.facts.busy = true;
	collect_start(&s, COLLECT_VERIFY, man);
	assert_int_equal(tellings, 1);
	assert_int_equal(told_stage, PROGRESS_WAITS_CHANGE);
	s.facts.busy = false;
	collect_settled(&s);
	assert_int_equal(heard[MSG_VERIFY], 1);
	assert_true(wanted);
	enforce_tells(s.next_id, PROGRESS_READS);
	assert_int_equal(told_stage, PROGRESS_READS);
	s.facts.busy = true;
	s.facts.changes++;
	enforce_says(s.next_id);
	assert_int_equal(answered[ASKER_CLIENT], 0);
	assert_int_equal(told_stage, PROGRESS_WAITS_CHANGE);
	s.facts.busy = false;
	collect_settled(&s);
	assert_int_equal(heard[MSG_VERIFY], 2);
	assert_true(wanted);
	enforce_tells(s.next_id, PROGRESS_EXECUTES);
	assert_int_equal(told_stage, PROGRESS_EXECUTES);
	/* The role enforce ends meanwhile: there is nothing more to report. */
	collect_gone(&s, SLOT_ENFORCE);
	enforce_tells(s.next_id, PROGRESS_READS);
	assert_int_equal(told_stage, PROGRESS_EXECUTES);
}

/* A search of the records is stopped in the journal, and only that: other questions to the journal
 * are answered, even if nobody waits. */
static void a_search_is_stopped_at_the_journal(void **state)
{
	const struct asker man = { .kind = ASKER_CLIENT, .client = 1, .serial = 7 },
			   other = { .kind = ASKER_CLIENT, .client = 2, .serial = 8 };
	struct msg m = { .body = { .type = MSG_ANSWER }, .fds = { -1, -1, -1, -1 } };
	uint32_t search, hold;

	(void)state;
	collect_pass(&s, SLOT_JOURNAL, &(struct msg_body){ .type = MSG_EVENTS }, man);
	search = last_asked;
	collect_pass(&s, SLOT_JOURNAL, &(struct msg_body){ .type = MSG_EVENTS }, other);
	collect_pass(&s, SLOT_JOURNAL, &(struct msg_body){ .type = MSG_HOLD, .hold = { .order = HOLD_PLACE } }, man);
	hold = last_asked;
	collect_stop(&s, &man);
	assert_int_equal(heard[MSG_STOP], 1);
	assert_int_equal(last_asked, search);
	assert_true(last_slot == SLOT_JOURNAL);
	m.id = relayed_id(SLOT_JOURNAL, search);
	assert_true(collect_answer(&s, &m));
	assert_int_equal(passed, 0);
	m.id = relayed_id(SLOT_JOURNAL, hold);
	assert_true(collect_answer(&s, &m));
	assert_int_equal(passed, 1);
	collect_stop(&s, &other);
	assert_int_equal(heard[MSG_STOP], 2);
}

/* The compiler is asked although no process of it runs. A question that comes too late is ended, so
 * that it takes nobody else's turn. */
static void a_late_compiler_is_stopped(void **state)
{
	const struct asker web = { .kind = ASKER_MGMT, .id = 1 };

	(void)state;
	scripted = 1;
	collect_pass(&s, SLOT_ERRAND, &(struct msg_body){ .type = MSG_ASK }, web);
	assert_int_equal(heard[MSG_ASK], 1);
	assert_true(last_slot == SLOT_ERRAND);
	assert_int_equal(answered[ASKER_MGMT], 0);
	collect_due(&s, collect_next(&s) - 1);
	assert_int_equal(heard[MSG_STOP], 0);
	collect_due(&s, collect_next(&s));
	assert_int_equal(heard[MSG_STOP], 1);
	assert_int_equal(answered[ASKER_MGMT], 1);
}

/* The web side has ended: enforce stops work for which only its users waited. */
static void a_web_side_that_dies_stops_its_own(void **state)
{
	(void)state;
	collect_start(&s, COLLECT_VERIFY, (struct asker){ .kind = ASKER_MGMT, .id = 1 });
	collect_start(&s, COLLECT_VERIFY, (struct asker){ .kind = ASKER_CLIENT, .client = 1, .serial = 1 });
	collect_gone(&s, SLOT_MGMT);
	assert_int_equal(heard[MSG_STOP], 1);
}

/* The new process of the web side numbers its questions from one as well. */
static void successors_hear_no_answer_of_its_own(void **state)
{
	struct msg m = { .body = { .type = MSG_ANSWER }, .fds = { -1, -1, -1, -1 } };

	(void)state;
	collect_pass(&s, SLOT_JOURNAL, &(struct msg_body){ .type = MSG_EVENTS },
		     (struct asker){ .kind = ASKER_MGMT, .id = 1 });
	m.id = relayed_id(SLOT_JOURNAL, last_asked);
	web_asks(COLLECT_STATUS, 1);
	collect_gone(&s, SLOT_MGMT);
	collect_answer(&s, &m);
	collect_due(&s, UINT64_MAX);
	collect_due(&s, UINT64_MAX);
	assert_int_equal(passed, 0);
	assert_int_equal(answered[ASKER_MGMT], 0);
	/* A web side that did not end gets both answers. */
	collect_pass(&s, SLOT_JOURNAL, &(struct msg_body){ .type = MSG_EVENTS },
		     (struct asker){ .kind = ASKER_MGMT, .id = 1 });
	m.id = relayed_id(SLOT_JOURNAL, last_asked);
	web_asks(COLLECT_STATUS, 1);
	collect_answer(&s, &m);
	collect_due(&s, UINT64_MAX);
	collect_due(&s, UINT64_MAX);
	assert_int_equal(passed, 1);
	assert_int_equal(answered[ASKER_MGMT], 1);
}

/* Reading text takes the supervisor many times its length: the journal reports its state in
 * numbers, and is ended if it sends text. */
static void text_of_enforce_alone_is_read(void **state)
{
	struct msg m = { .body = { .type = MSG_ANSWER },
			 .fds = { memfd_sealed("said", "[1]", 3), -1, -1, -1 },
			 .n_fds = 1 };

	(void)state;
	collect_start(&s, COLLECT_STATUS, (struct asker){ .kind = ASKER_CLIENT });
	m.id = relayed_id(SLOT_ENFORCE, last_asked);
	assert_true(collect_answer(&s, &m));
	m.id = relayed_id(SLOT_JOURNAL, last_asked);
	assert_false(collect_answer(&s, &m));
	collect_gone(&s, SLOT_JOURNAL);
	collect_gone(&s, SLOT_DPI);
	collect_gone(&s, SLOT_BOX);
	assert_int_equal(answered[ASKER_CLIENT], 1);
	assert_true(texts[SLOT_ENFORCE]);
	assert_false(texts[SLOT_JOURNAL]);
	assert_true(collect_answer(&s, &m)); /* too late: the question is over */
	close(m.fds[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(floods_leave_room_for_people, begin, finish),
		cmocka_unit_test_setup_teardown(few_read_the_rules_back, begin, finish),
		cmocka_unit_test_setup_teardown(logins_leave_room_for_root, begin, finish),
		cmocka_unit_test_setup_teardown(a_late_compiler_is_stopped, begin, finish),
		cmocka_unit_test_setup_teardown(floods_are_heard_slowly, begin, finish),
		cmocka_unit_test_setup_teardown(who_waits_no_longer_is_let_go, begin, finish),
		cmocka_unit_test_setup_teardown(stopped_before_it_is_asked, begin, finish),
		cmocka_unit_test_setup_teardown(each_hears_how_far_his_own_is, begin, finish),
		cmocka_unit_test_setup_teardown(told_across_a_change, begin, finish),
		cmocka_unit_test_setup_teardown(a_search_is_stopped_at_the_journal, begin, finish),
		cmocka_unit_test_setup_teardown(a_web_side_that_dies_stops_its_own, begin, finish),
		cmocka_unit_test_setup_teardown(successors_hear_no_answer_of_its_own, begin, finish),
		cmocka_unit_test_setup_teardown(text_of_enforce_alone_is_read, begin, finish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
