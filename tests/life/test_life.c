/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lives of a box, each written down: what becomes of a change or a trial, also when a process dies
 * or the power goes.
 *
 * LINK: $(LIFE_SRC)
 * LIBS: jansson nettle libconfig libseccomp
 */
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "appliance/base/memfd.h"
#include "appliance/role/roles.h"
#include "appliance/wire/orders.h"
#include "appliance/wire/reason.h"
#include "appliance/wire/slot.h"
#include "tests/life/disk.h"
#include "tests/life/life.h"
#include "tests/life/machine.h"
#include "tests/life/sound.h"

/* ---- changes --------------------------------------------------------------------------------- */

static void first_policy(void)
{
	LIFE(life_boot() == LIFE_GOES_ON && machine.base);
	LIFE(recorded(EVENT_POLICY, POLICY_EMPTY) == 1);
	LIFE(life_apply(KNOWN_PLAIN, 0, 0)->status == ANSWER_YES);
	LIFE(rules_are(KNOWN_PLAIN) && sound_at_rest());
}

static void confirmed(void)
{
	uint64_t before;

	first_policy();
	before = processes.standing.changes;
	LIFE(life_apply(KNOWN_WIDER, 60, 0)->status == ANSWER_YES);
	LIFE(rules_are(KNOWN_WIDER) && processes.standing.trial == 2 && disk_confirmed() == 1);
	/* By this control knows that answers of the roles may be about different policies. */
	LIFE(processes.standing.changes > before);
	LIFE(life_confirm(1)->status == ANSWER_CANNOT);
	LIFE(life_confirm(2)->status == ANSWER_YES);
	LIFE(life_confirm(0)->status == ANSWER_CANNOT);
	LIFE(life_pass(61 * SECOND) == LIFE_GOES_ON);
	LIFE(rules_are(KNOWN_WIDER) && sound_at_rest() && disk_confirmed() == 2);
	LIFE(recorded(EVENT_POLICY, POLICY_APPLIED) == 2 && recorded(EVENT_POLICY, POLICY_CONFIRMED) == 2);
	LIFE(recorded(EVENT_POLICY, POLICY_REVERTED) == 0);
}

static void not_confirmed(void)
{
	uint64_t before;

	first_policy();
	LIFE(life_apply(KNOWN_INSPECTED, 60, 0)->status == ANSWER_YES);
	LIFE(process_lives(ROLE_GATE) && process_lives(ROLE_DPI));
	LIFE(life_pass(59 * SECOND) == LIFE_GOES_ON && rules_are(KNOWN_INSPECTED));
	before = processes.standing.changes;
	LIFE(life_pass(2 * SECOND) == LIFE_GOES_ON && rules_are(KNOWN_PLAIN));
	LIFE(sound_at_rest() && recorded(EVENT_POLICY, POLICY_REVERTED) == 1);
	LIFE(processes.standing.changes > before);
	LIFE(life_confirm(0)->status == ANSWER_CANNOT);
}

static bool hears(uint64_t needs)
{
	const struct msg_body m = { MSG_PROVEN, .proven = { .needs = needs } };

	return process_says(ROLE_ENFORCE, &m, -1) && life_settle() == LIFE_GOES_ON;
}

/* A trial proves itself: it cannot be confirmed before what it names was heard since its apply. */
static void proven(void)
{
	const struct answer *a;

	first_policy();
	LIFE(hears(3)); /* before the apply */
	LIFE(life_apply(KNOWN_PROVEN, 60, 0)->status == ANSWER_YES);
	a = life_confirm(2);
	LIFE(a->status == ANSWER_CANNOT && strstr(a->whole, "nothing was heard of a, b.") != NULL);
	LIFE(hears(1));
	a = life_confirm(2);
	LIFE(a->status == ANSWER_CANNOT && strstr(a->whole, "nothing was heard of b.") != NULL);
	LIFE(life_pass(61 * SECOND) == LIFE_GOES_ON && rules_are(KNOWN_PLAIN) && disk_confirmed() == 1);
	LIFE(life_apply(KNOWN_PROVEN, 60, 0)->status == ANSWER_YES);
	LIFE(hears(1) && hears(2)); /* the second by an enforce that began anew */
	LIFE(life_confirm(3)->status == ANSWER_YES && disk_confirmed() == 3 && sound_at_rest());
}

static void one_at_a_time(void)
{
	const struct answer *a;

	first_policy();
	processes.compile = COMPILE_SLEEPS;
	a = life_apply(KNOWN_WIDER, 0, 0);
	LIFE(!a->told && processes.standing.busy);
	LIFE(life_apply(KNOWN_INSPECTED, 0, 0)->status == ANSWER_CANNOT);
	LIFE(life_rollback(0)->status == ANSWER_CANNOT);
	LIFE(life_pass(91 * SECOND) == LIFE_GOES_ON);
	LIFE(a->told && a->status == ANSWER_CANNOT && rules_are(KNOWN_PLAIN) && sound_at_rest());
	LIFE(recorded(EVENT_POLICY, POLICY_REFUSED) == 1);
}

static void anothers_trial(void)
{
	first_policy();
	LIFE(life_apply(KNOWN_WIDER, 60, 0)->status == ANSWER_YES);
	LIFE(life_apply(KNOWN_INSPECTED, 60, 0)->status == ANSWER_CANNOT);
	LIFE(rules_are(KNOWN_WIDER));
	LIFE(life_apply(KNOWN_INSPECTED, 60, APPLY_TAKE_OVER)->status == ANSWER_YES);
	LIFE(rules_are(KNOWN_INSPECTED) && sound_at_rest());
	LIFE(life_rollback(0)->status == ANSWER_YES);
	LIFE(rules_are(KNOWN_PLAIN) && sound_at_rest());
}

static void back_and_further(void)
{
	first_policy();
	LIFE(life_apply(KNOWN_WIDER, 0, 0)->status == ANSWER_YES);
	LIFE(life_apply(KNOWN_INSPECTED, 0, APPLY_DRY_RUN)->status == ANSWER_YES);
	LIFE(rules_are(KNOWN_WIDER) && sound_at_rest());
	LIFE(life_rollback(0)->status == ANSWER_YES);
	LIFE(rules_are(KNOWN_PLAIN) && sound_at_rest());
	LIFE(life_rollback(2)->status == ANSWER_YES);
	LIFE(rules_are(KNOWN_WIDER) && sound_at_rest());
	LIFE(life_rollback(9)->status == ANSWER_CANNOT);
}

static void refused(void)
{
	static const enum enforce_mood moods[] = { ENFORCE_REFUSES, ENFORCE_DIES_BEFORE, ENFORCE_DIES_AFTER };
	const struct answer *a;

	first_policy();
	for (unsigned i = 0; i < 3; i++) {
		processes.enforce = moods[i];
		LIFE(life_apply(KNOWN_WIDER, 0, 0)->status == ANSWER_CANNOT);
		LIFE(life_pass(SECOND) == LIFE_GOES_ON);
		LIFE(rules_are(KNOWN_PLAIN) && sound_at_rest());
		LIFE(recorded(EVENT_POLICY, POLICY_REFUSED) == i + 1);
	}
	processes.compile = COMPILE_FINDS_MISTAKES;
	a = life_apply(KNOWN_WIDER, 0, 0);
	LIFE(a->status == ANSWER_INVALID && strstr(a->whole, "\"message\":\"a mistake\"") != NULL);
	processes.compile = COMPILE_DIES;
	LIFE(life_apply(KNOWN_WIDER, 0, 0)->status == ANSWER_CANNOT);
	a = life_apply(KNOWN_WIDER, 0, 0);
	LIFE(a->status == ANSWER_YES && strstr(a->whole, "\"meaning\":[{\"text\":") != NULL);
	LIFE(strstr(a->whole, "\"generation\":{\"number\":") != NULL && strstr(a->whole, "\"diagnostics\":[]") != NULL);
	LIFE(rules_are(KNOWN_WIDER) && sound_at_rest());
}

/* A person who is logged in over the web: the orders are about the draft, and always on trial. */
static void by_an_account(void)
{
	first_policy();
	processes.draft = KNOWN_WIDER;
	LIFE(life_change(CHANGE_CHECK, 0, 0)->status == ANSWER_YES && rules_are(KNOWN_PLAIN));
	LIFE(life_change(CHANGE_SAVE, 0, 0)->status == ANSWER_YES);
	LIFE(life_change(CHANGE_TRY, 0, 0)->status == ANSWER_YES && rules_are(KNOWN_PLAIN));
	LIFE(life_change(CHANGE_APPLY, 60, 0)->status == ANSWER_YES && rules_are(KNOWN_WIDER));
	/* Unlike root, an account says which trial it has seen. */
	LIFE(strstr(life_change(CHANGE_CONFIRM, 0, 9)->whole, "not generation 9 that you saw") != NULL);
	LIFE(life_change(CHANGE_CONFIRM, 0, 0)->status == ANSWER_CANNOT && processes.standing.trial == 2);
	LIFE(life_change(CHANGE_CONFIRM, 0, 2)->status == ANSWER_YES && sound_at_rest());
	/* Nor does it go back by more than one step. */
	LIFE(life_apply(KNOWN_INSPECTED, 0, 0)->status == ANSWER_YES);
	LIFE(life_change(CHANGE_ROLLBACK, 0, 1)->status == ANSWER_CANNOT && rules_are(KNOWN_INSPECTED));
	LIFE(life_change(CHANGE_ROLLBACK, 0, 0)->status == ANSWER_YES && rules_are(KNOWN_WIDER));
	LIFE(life_rollback(1)->status == ANSWER_YES && rules_are(KNOWN_PLAIN));
	/* The role accounts cannot say who it is. */
	LIFE(process_freeze(ROLE_ACCOUNTS));
	LIFE(!life_change(CHANGE_APPLY, 60, 0)->told);
	LIFE(life_pass(9 * SECOND) == LIFE_GOES_ON && rules_are(KNOWN_PLAIN) && sound_at_rest());
	LIFE(processes.answers[processes.asked].status == ANSWER_CANNOT);
}

/* A card that is used by a person's session with the machine is not taken without a question. */
static void somebodys_card(void)
{
	LIFE(life_boot() == LIFE_GOES_ON);
	machine_card("eth1")->ridden = true;
	LIFE(life_apply(KNOWN_PLAIN, 0, 0)->status == ANSWER_CANNOT);
	LIFE(machine_card("eth1")->place == CARD_HOME && sound_at_rest());
	machine_card("eth1")->ridden = false;
	LIFE(life_apply(KNOWN_PLAIN, 0, 0)->status == ANSWER_YES);
	LIFE(machine_card("eth1")->place == CARD_DATA && sound_at_rest());
	LIFE(life_release("lan1")->status == ANSWER_YES);
	LIFE(machine_card("eth1")->place == CARD_HOME);
	LIFE(recorded(EVENT_POLICY, POLICY_RELEASED) == 1);
	/* Nothing that the box does by itself takes the released card again. */
	life_kill();
	LIFE(life_boot() == LIFE_GOES_ON && life_pass(10 * SECOND) == LIFE_GOES_ON);
	LIFE(machine_card("eth1")->place == CARD_HOME && machine_card("eth0")->place == CARD_DATA);
	LIFE(life_apply(KNOWN_WIDER, 0, 0)->status == ANSWER_YES);
	LIFE(machine_card("eth1")->place == CARD_DATA && sound_at_rest());
}

static void without_a_daemon(void)
{
	LIFE(life_standing("status") == ANSWER_NO && life_standing("effective") == ANSWER_NO);
	first_policy();
	life_kill();
	LIFE(life_standing("status") == ANSWER_NO);
	LIFE(life_standing("effective") == ANSWER_YES);
	LIFE(life_release_alone("eth0") == ANSWER_YES);
	LIFE(machine_card("eth0")->place == CARD_HOME && machine_card("eth1")->place == CARD_DATA);
	LIFE(life_boot() == LIFE_GOES_ON);
	LIFE(machine_card("eth0")->place == CARD_HOME);
	LIFE(recorded(EVENT_POLICY, POLICY_RELEASED) == 1);
}

/* A trial ends as intended, however often an apply is refused meanwhile, and afterwards the policy
 * that was confirmed before can be had again. */
static void refused_beside_a_trial(void)
{
	struct card *third = machine_card("eth2");
	uint64_t trial;

	first_policy();
	LIFE(life_apply(KNOWN_INSPECTED, 0, 0)->status == ANSWER_YES);
	for (unsigned how = 0; how < 3; how++) {
		LIFE(life_apply(KNOWN_PLAIN, 60, 0)->status == ANSWER_YES);
		trial = processes.standing.trial;
		third->name = "gone";
		for (unsigned i = 0; i < 60; i++)
			LIFE(life_apply(KNOWN_WIDER, 0, APPLY_TAKE_OVER)->status == ANSWER_CANNOT);
		third->name = "eth2";
		LIFE(processes.standing.trial == trial && rules_are(KNOWN_PLAIN) && disk_confirmed() < trial);
		if (how == 0)
			LIFE(life_confirm(trial)->status == ANSWER_YES && disk_confirmed() == trial);
		if (how < 2)
			LIFE(life_rollback(0)->status == ANSWER_YES);
		LIFE(life_pass(61 * SECOND) == LIFE_GOES_ON && rules_are(KNOWN_INSPECTED));
		LIFE(processes.standing.trial == 0 && sound_at_rest());
	}
	LIFE(life_rollback(1)->status == ANSWER_YES && rules_are(KNOWN_PLAIN) && disk_confirmed() == 1);
	life_kill();
	LIFE(life_boot() == LIFE_GOES_ON && rules_are(KNOWN_PLAIN) && sound_at_rest());
}

/* ---- a control that lies --------------------------------------------------------------------- */

#define NUMBERS 60u /* more questions than were asked so far */

/* Control sends this message under the number of every question, its own ones and those of orders
 * at the machine. */
static void control_says(const struct msg_body *m)
{
	for (uint32_t i = 1; i <= NUMBERS; i++) {
		LIFE(msg_send(ROLE_FD_CONTROL, relayed_id(SLOT_BOX, i), m, NULL, 0) == 0);
		LIFE(msg_send(ROLE_FD_CONTROL, relayed_id(SLOT_BOX, RELAYED_BOXS | i), m, NULL, 0) == 0);
		if (i % 10 == 0)
			LIFE(life_settle() == LIFE_GOES_ON);
	}
}

/* A lying control may not begin anything, nor ask workers more than an operation that waits for it
 * needs. */
static void lies(void)
{
	const struct msg_body sessions = { .type = MSG_SESSIONS },
			      refused = { MSG_WEIGHED, .weighed = { .refused = 1 } },
			      table = { MSG_IMPACT, .impact = { .n_image = 1 } };
	const struct answer *a;
	unsigned asked, died;
	int fd;

	first_policy();
	LIFE(life_apply(KNOWN_INSPECTED, 0, 0)->status == ANSWER_YES && life_pass(SECOND) == LIFE_GOES_ON);
	asked = processes.impacts;
	control_says(&sessions);
	control_says(&refused);
	LIFE(processes.impacts == asked && rules_are(KNOWN_INSPECTED) && sound_at_rest());
	/* Each worker gets the table, and is asked about these sessions once. */
	processes.n_changed = 2;
	processes.worker = WORKER_SLEEPS;
	a = life_apply(KNOWN_WIDER, 0, APPLY_DRY_RUN);
	asked = processes.impacts - asked;
	LIFE(!a->told && asked > 0);
	processes.impacts = 0;
	control_says(&sessions);
	LIFE(processes.impacts > 0 && processes.impacts <= asked);
	LIFE(life_pass(40 * SECOND) == LIFE_GOES_ON && a->told && rules_are(KNOWN_INSPECTED));
	processes.worker = WORKER_TAKES;
	LIFE(life_pass(5 * SECOND) == LIFE_GOES_ON && sound_at_rest());
	/* A table of its own reaches no worker, and ends it. */
	processes.impacts = 0;
	died = recorded(EVENT_ROLE, ROLE_DIED);
	fd = memfd_sealed("life", "?", 1);
	LIFE(msg_send(ROLE_FD_CONTROL, relayed_id(SLOT_DPI, 1), &table, &fd, 1) == 0);
	close(fd);
	LIFE(life_pass(SECOND) == LIFE_GOES_ON && recorded(EVENT_ROLE, ROLE_DIED) > died && processes.impacts == 0);
	LIFE(life_apply(KNOWN_PLAIN, 0, 0)->status == ANSWER_YES && rules_are(KNOWN_PLAIN) && sound_at_rest());
}

/* The time to ask about so many sessions is over: those that nobody weighed are unknown, and what
 * is cut is told. */
static void foretold_in_part(void)
{
	const struct answer *a;

	first_policy();
	LIFE(life_apply(KNOWN_INSPECTED, 0, 0)->status == ANSWER_YES);
	processes.n_cut = 1;
	processes.n_changed = 4000;
	processes.answer_ns = SECOND / 3;
	a = life_apply(KNOWN_WIDER, 0, APPLY_DRY_RUN);
	LIFE(life_pass(3 * SECOND) == LIFE_GOES_ON && a->told && a->status == ANSWER_YES);
	LIFE(strstr(a->whole, "\"cut\":[{\"client_port\":1}") != NULL && strstr(a->whole, "\"narrowed\":[") != NULL);
	LIFE(strstr(a->whole, "\"unknown\":") != NULL && strstr(a->whole, "\"unknown\":0") == NULL);
}

/* Enforce cannot say what a change does to sessions: the change is given up, and the person reads
 * why. */
static void nothing_foretold(void)
{
	const struct answer *a;
	unsigned died;

	first_policy();
	died = recorded(EVENT_ROLE, ROLE_DIED);
	for (unsigned dry = 0; dry < 2; dry++) {
		processes.enforce = ENFORCE_BLIND;
		a = life_apply(KNOWN_WIDER, 0, dry != 0 ? APPLY_DRY_RUN : 0);
		LIFE(life_pass(3 * SECOND) == LIFE_GOES_ON && a->told && a->status == ANSWER_CANNOT);
		LIFE(strstr(a->whole, "the sessions cannot be read") != NULL && rules_are(KNOWN_PLAIN));
	}
	LIFE(recorded(EVENT_ROLE, ROLE_DIED) == died && sound_at_rest());
}

/* What a change does to sessions, as enforce and the worker that follows them say. */
static void foretold(void)
{
	const struct msg_foretold_session refused = { .reason = R_ENDED, .protocol = PROTO_MODBUS },
					  narrowed = { .protocol = PROTO_MODBUS, .forgotten = 2, .partly = 1 };
	static const struct {
		bool refused, silent;
		const char *cut, *narrowed, *unknown;
	} rows[] = {
		{ true, false, "\"reason\":\"", "\"narrowed\":[]", "\"unknown\":0" },
		{ false, false, "\"cut\":[{\"client_port\":1}]", "\"high\":4", "\"unknown\":0" },
		{ false, true, "\"cut\":[{\"client_port\":1}]", "\"narrowed\":[]", "\"unknown\":2" },
	};

	first_policy();
	LIFE(life_apply(KNOWN_INSPECTED, 0, 0)->status == ANSWER_YES);
	processes.n_cut = 1;
	processes.n_changed = 2;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct answer *a;

		processes.foretold = rows[i].refused ? refused : narrowed;
		processes.worker = rows[i].silent ? WORKER_SLEEPS : WORKER_TAKES;
		a = life_apply(KNOWN_WIDER, 0, APPLY_DRY_RUN);
		LIFE(life_pass(3 * SECOND) == LIFE_GOES_ON && a->told && a->status == ANSWER_YES);
		if (strstr(a->whole, rows[i].cut) == NULL || strstr(a->whole, rows[i].narrowed) == NULL ||
		    strstr(a->whole, rows[i].unknown) == NULL) {
			printf("row %zu: %s\n", i, a->whole);
			LIFE(false);
		}
	}
	/* The workers are told of what the change has ended. */
	processes.worker = WORKER_TAKES;
	LIFE(processes.cuts == 0 && life_apply(KNOWN_WIDER, 0, 0)->status == ANSWER_YES && processes.cuts == 1);
}

/* The end of a trial does not wait for a card that is missing. */
static void trial_ends_without_a_card(void)
{
	struct card *lost;

	first_policy();
	LIFE(life_apply(KNOWN_WIDER, 60, 0)->status == ANSWER_YES && processes.standing.trial == 2);
	lost = machine_card("eth1");
	lost->name = "none";
	LIFE(life_pass(62 * SECOND) == LIFE_GOES_ON);
	LIFE(processes.standing.trial == 0 && processes.standing.number == 1);
	lost->name = "eth1";
	LIFE(life_pass(5 * SECOND) == LIFE_GOES_ON && lost->place == CARD_DATA && sound_at_rest());
}

/* While a card is missing, what there is gets loaded again and again. Between two times the box is
 * at rest, however long one takes: people get their answers, and a trial ends. */
static void slow_without_a_card(void)
{
	struct card *lost;

	first_policy();
	lost = machine_card("eth1");
	lost->name = "none";
	processes.slow_loads = 20;
	LIFE(process_die(ROLE_ENFORCE) && life_pass(10 * SECOND) == LIFE_GOES_ON);
	LIFE(processes.slow_loads < 20 && processes.slow_loads > 15);
	processes.slow_loads = 0;
	lost->name = "eth1";
	LIFE(life_pass(5 * SECOND) == LIFE_GOES_ON && lost->place == CARD_DATA && sound_at_rest());
}

/* What is cut, and what goes on: by the order, its stage, and the policy in force. */
static void isolated(void)
{
	const struct answer *a;
	unsigned all;

	first_policy();
	LIFE(life_apply(KNOWN_PREPARED, 0, 0)->status == ANSWER_YES);
	LIFE(life_isolate(CHANGE_ISOLATE, "zones it ot")->status == ANSWER_YES);
	LIFE(machine.isolated && processes.apart > 0 && processes.apart_kept == 0);
	/* Control is not told the pairs. */
	LIFE(life_isolate(CHANGE_ISOLATE, "")->status != ANSWER_YES);
	a = life_asks(AS_ROOT, &(struct msg_body){ .type = MSG_STATUS }, -1);
	LIFE(a->status == ANSWER_YES && strstr(a->whole, "\"what\":\"zones it ot\"") != NULL);
	LIFE(strstr(a->whole, "\"pairs\"") == NULL);
	all = processes.apart;
	LIFE(life_isolate(CHANGE_ISOLATE, "ot")->status == ANSWER_YES);
	LIFE(processes.apart > all);
	LIFE(life_isolate(CHANGE_REJOIN, "zones it ot")->status == ANSWER_YES && machine.isolated);
	/* The prepared isolation keeps a conduit; only while each policy keeps it. */
	LIFE(processes.apart_kept > 0);
	LIFE(life_apply(KNOWN_PLAIN, 0, 0)->status == ANSWER_YES && machine.isolated);
	LIFE(processes.apart > 0 && life_rollback(0)->status == ANSWER_YES && machine.isolated);
	LIFE(life_isolate(CHANGE_ISOLATE, "asset none")->status != ANSWER_YES);
	LIFE(life_isolate(CHANGE_ISOLATE, "zones self it")->status == ANSWER_CANNOT);
	LIFE(life_isolate(CHANGE_ISOLATE, "zone self")->status == ANSWER_CANNOT);
	/* The isolation outlives everything, until somebody ends it; reads go on first. */
	life_off(false);
	LIFE(life_boot() == LIFE_GOES_ON && machine.isolated);
	LIFE(life_isolate(CHANGE_REJOIN_READS, "ot")->status == ANSWER_YES && machine.isolated);
	LIFE(life_isolate(CHANGE_REJOIN, "ot")->status == ANSWER_YES && !machine.isolated);
	LIFE(life_isolate(CHANGE_REJOIN, "ot")->status == ANSWER_CANNOT && sound_at_rest());
	/* Without enforce an order is kept, over a power loss too, and comes before any rules. */
	for (unsigned i = 0; i < 2; i++) {
		processes.absent = ROLE_ENFORCE;
		LIFE(process_die(ROLE_ENFORCE) && life_settle() == LIFE_GOES_ON);
		a = life_isolate(i == 0 ? CHANGE_ISOLATE : CHANGE_REJOIN, "zone it");
		LIFE(life_pass(9 * SECOND) == LIFE_GOES_ON && a->told && a->status == ANSWER_CANNOT);
		LIFE(strstr(a->whole, "the order is stored") != NULL && machine.isolated == (i == 1));
		if (i == 0)
			life_off(false);
		processes.absent = ROLE_COUNT;
		LIFE(i == 0 ? life_boot() == LIFE_GOES_ON : life_pass(2 * SECOND) == LIFE_GOES_ON);
		LIFE(life_settle() == LIFE_GOES_ON && machine.isolated == (i == 0));
		LIFE(recorded(EVENT_POLICY, i == 0 ? POLICY_ISOLATED : POLICY_REJOINED) > 0);
	}
	/* Several kept orders about one zone: the last one holds. */
	processes.absent = ROLE_ENFORCE;
	LIFE(process_die(ROLE_ENFORCE) && life_settle() == LIFE_GOES_ON);
	for (unsigned i = 0; i < 3; i++) {
		a = life_isolate(i == 1 ? CHANGE_REJOIN : CHANGE_ISOLATE, "zone it");
		LIFE(life_pass(9 * SECOND) == LIFE_GOES_ON && a->told &&
		     strstr(a->whole, "the order is stored") != NULL);
	}
	processes.absent = ROLE_COUNT;
	LIFE(life_pass(2 * SECOND) == LIFE_GOES_ON && life_settle() == LIFE_GOES_ON && machine.isolated);
	LIFE(life_isolate(CHANGE_REJOIN, "zone it")->status == ANSWER_YES && !machine.isolated);
}

/* Gives the order while nobody can carry it out, and the machine then starts with the confirmed
 * policy instead of the one on trial. */
static void kept_over_a_trial(enum known_policy on_trial, uint8_t order)
{
	const struct answer *a;

	LIFE(life_apply(on_trial, 300, 0)->status == ANSWER_YES);
	processes.absent = ROLE_ENFORCE;
	LIFE(process_die(ROLE_ENFORCE) && life_settle() == LIFE_GOES_ON);
	a = life_isolate(order, "ot");
	LIFE(life_pass(9 * SECOND) == LIFE_GOES_ON && a->told && strstr(a->whole, "the order is stored") != NULL);
	life_off(false);
	processes.absent = ROLE_COUNT;
	LIFE(life_boot() == LIFE_GOES_ON && life_settle() == LIFE_GOES_ON);
}

/* A kept order whose name means something else by now: what it meant is cut all the same, and
 * nothing is opened. */
static void isolated_by_another_policy(void)
{
	first_policy();
	kept_over_a_trial(KNOWN_PREPARED, CHANGE_ISOLATE);
	LIFE(machine.isolated && recorded(EVENT_POLICY, POLICY_ISOLATED_BOTH) == 1);
	LIFE(recorded(EVENT_POLICY, POLICY_ISOLATION_DROPPED) == 0);
	kept_over_a_trial(KNOWN_PREPARED, CHANGE_REJOIN);
	LIFE(machine.isolated && recorded(EVENT_POLICY, POLICY_ISOLATION_DROPPED) == 1);
	LIFE(life_isolate(CHANGE_REJOIN, "ot")->status == ANSWER_YES && !machine.isolated && sound_at_rest());
}

/* Nobody knows what was isolated: everything is, from before the first rules until a person ends
 * it. */
static void isolations_damaged(void)
{
	char path[512];
	FILE *f;

	first_policy();
	snprintf(path, sizeof(path), "%s/state/isolations", life.folder);
	life_off(false);
	f = fopen(path, "we");
	LIFE(f != NULL && fputs("sekisho isolations 1\n", f) >= 0 && fclose(f) == 0);
	LIFE(life_boot() == LIFE_GOES_ON && life_settle() == LIFE_GOES_ON);
	LIFE(machine.isolated && recorded(EVENT_POLICY, POLICY_ISOLATED) > 0);
	LIFE(life_isolate(CHANGE_REJOIN, "everything")->status == ANSWER_YES && !machine.isolated && sound_at_rest());
}

/* ---- processes ------------------------------------------------------------------------------- */

static const enum role roles[] = { ROLE_JOURNAL, ROLE_ENFORCE,	ROLE_TAP,  ROLE_MGMT,
				   ROLE_CONTROL, ROLE_ACCOUNTS, ROLE_GATE, ROLE_DPI };
#define ROLES (sizeof(roles) / sizeof(roles[0]))

static void deaths(void)
{
	first_policy();
	LIFE(life_apply(KNOWN_INSPECTED, 0, 0)->status == ANSWER_YES);
	for (unsigned i = 0; i < ROLES; i++) {
		unsigned died = recorded(EVENT_ROLE, ROLE_DIED);

		LIFE(life_pass(3 * SECOND) == LIFE_GOES_ON);
		if (roles[i] == ROLE_ENFORCE)
			memset(machine.digest, 0, sizeof(machine.digest));
		LIFE(process_die(roles[i]));
		LIFE(life_settle() == LIFE_GOES_ON);
		LIFE(process_lives(roles[i]) && recorded(EVENT_ROLE, ROLE_DIED) > died);
		LIFE(rules_are(KNOWN_INSPECTED) && sound_at_rest());
	}
}

static void silence(void)
{
	first_policy();
	LIFE(life_apply(KNOWN_INSPECTED, 0, 0)->status == ANSWER_YES);
	for (unsigned i = 0; i < ROLES; i++) {
		unsigned hung = recorded(EVENT_ROLE, ROLE_HUNG);

		LIFE(process_freeze(roles[i]));
		LIFE(life_pass(6 * SECOND) == LIFE_GOES_ON);
		LIFE(process_lives(roles[i]) && recorded(EVENT_ROLE, ROLE_HUNG) > hung);
		LIFE(rules_are(KNOWN_INSPECTED) && sound_at_rest());
	}
}

/*
 * No journal can open its folder, and none reads what it is told. The box goes on and takes orders,
 * and the first journal that runs again is told the generation in force.
 */
static void no_journal(void)
{
	unsigned told;

	first_policy();
	processes.journal_fails = true;
	LIFE(process_die(ROLE_JOURNAL) && life_pass(60 * SECOND) == LIFE_GOES_ON);
	LIFE(life_apply(KNOWN_WIDER, 0, 0)->status == ANSWER_YES && rules_are(KNOWN_WIDER));
	LIFE(life_pass(60 * SECOND) == LIFE_GOES_ON);
	processes.journal_fails = false;
	told = processes.names;
	LIFE(life_pass(3 * SECOND) == LIFE_GOES_ON && sound_at_rest());
	LIFE(processes.names - told < 64);
}

/*
 * The person gets no answer, and the change goes on. The result of a dry run is not kept.
 */
static void control_dies_meanwhile(void)
{
	first_policy();
	processes.worker = WORKER_SLEEPS;
	LIFE(!life_apply(KNOWN_INSPECTED, 0, 0)->told);
	LIFE(process_die(ROLE_CONTROL) && life_settle() == LIFE_GOES_ON);
	processes.worker = WORKER_TAKES;
	LIFE(life_pass(30 * SECOND) == LIFE_GOES_ON);
	LIFE(sound_at_rest() && rules_are(KNOWN_INSPECTED));
}

/* ---- starts ---------------------------------------------------------------------------------- */

static void restarts(void)
{
	first_policy();
	LIFE(life_apply(KNOWN_WIDER, 600, 0)->status == ANSWER_YES);
	LIFE(life_stop() == LIFE_ENDED && life.status == 0);
	LIFE(rules_are(KNOWN_WIDER)); /* there is no daemon that could change them */
	LIFE(life_boot() == LIFE_GOES_ON);
	LIFE(rules_are(KNOWN_PLAIN) && sound_at_rest());
	LIFE(recorded(EVENT_POLICY, POLICY_REVERTED) == 1);
	LIFE(life_apply(KNOWN_INSPECTED, 0, 0)->status == ANSWER_YES);
	life_kill();
	LIFE(rules_are(KNOWN_INSPECTED));
	LIFE(life_boot() == LIFE_GOES_ON && rules_are(KNOWN_INSPECTED) && sound_at_rest());
	/* A change that was answered is on the disk. */
	LIFE(life_apply(KNOWN_WIDER, 0, 0)->status == ANSWER_YES);
	life_off(false);
	LIFE(!machine.forwarding);
	LIFE(life_boot() == LIFE_GOES_ON && rules_are(KNOWN_WIDER) && sound_at_rest());
}

/*
 * One change in a box with a policy: at once, or on trial and then confirmed. Returns false if it
 * was interrupted.
 */
static bool changed(bool at_once)
{
	const struct answer *a = life_apply(KNOWN_WIDER, at_once ? 0 : 60, 0);

	if (life.end != LIFE_GOES_ON || a == NULL || !a->told || a->status != ANSWER_YES || at_once)
		return a != NULL && a->told && a->status == ANSWER_YES;
	a = life_confirm(0);
	return a != NULL && a->told && a->status == ANSWER_YES;
}

/*
 * The power fails at the nth moment of a change: afterwards the old policy or the new one is in
 * force, and the new one if this was reported. False: the change has no such moment.
 */
static bool off_at(uint64_t n, bool at_once, bool renamed)
{
	bool told;

	life_begin();
	first_policy();
	disk.off_at = disk.moments + n;
	told = changed(at_once);
	if (life.end == LIFE_GOES_ON) {
		LIFE(told);
		life_over();
		return false;
	}
	life_off(renamed);
	LIFE(always_sound());
	LIFE(life_boot() == LIFE_GOES_ON);
	LIFE(sound_at_rest());
	LIFE(rules_are(KNOWN_WIDER) || (rules_are(KNOWN_PLAIN) && !told));
	LIFE(changed(at_once) && rules_are(KNOWN_WIDER) && sound_at_rest());
	life_over();
	return true;
}

static void power(void)
{
	for (unsigned how = 0; how < 4; how++) {
		uint64_t n = 1;

		while (off_at(n, how % 2, how / 2))
			n++;
		LIFE(n > 20);
	}
	life_begin();
}

static void touch(void)
{
	uint64_t one = 1;

	LIFE(write(machine.monitor, &one, sizeof(one)) == sizeof(one) && life_settle() == LIFE_GOES_ON);
}

/* Somebody changes the rules, and the role enforce does not report it: forwarding is turned off, or
 * the record says that it was not. */
static void touched(void)
{
	life_begin();
	first_policy();
	touch();
	LIFE(life_pass(40000000) == LIFE_GOES_ON && machine.forwarding);
	LIFE(life_pass(20000000) == LIFE_GOES_ON && !machine.forwarding);
	LIFE(recorded(EVENT_DRIFT, DRIFT_STOOD_IN) == 1 && recorded(EVENT_DRIFT, DRIFT_UNMENDED) == 0);
	machine.forwarding = machine.stuck = true;
	touch();
	LIFE(life_pass(100000000) == LIFE_GOES_ON && machine.forwarding);
	LIFE(recorded(EVENT_DRIFT, DRIFT_STOOD_IN) == 1 && recorded(EVENT_DRIFT, DRIFT_UNMENDED) == 1);
}

/*
 * Whatever the kernel or the machine refuses in a change: the old policy goes on, or the new one is
 * in force.
 */
static void failing_calls(void)
{
	uint64_t n = 1;

	do {
		const struct answer *a;

		life_begin();
		first_policy();
		machine.fails_at = machine.calls + n++;
		a = life_apply(KNOWN_INSPECTED, 0, 0);
		LIFE(a->told && always_sound());
		LIFE(life_pass(5 * SECOND) == LIFE_GOES_ON);
		LIFE(sound_at_rest() && rules_are(a->status == ANSWER_YES ? KNOWN_INSPECTED : KNOWN_PLAIN));
		life_over();
	} while (machine.failed != NULL);
	LIFE(n > 10);
	life_begin();
}

/* ---- all ------------------------------------------------------------------------------------- */

#define LIVES(each)                                                                                                    \
	each(confirmed) each(not_confirmed) each(proven) each(one_at_a_time) each(anothers_trial)                      \
		each(back_and_further) each(refused) each(by_an_account) each(somebodys_card) each(without_a_daemon)   \
			each(foretold) each(foretold_in_part) each(nothing_foretold) each(lies)                        \
				each(trial_ends_without_a_card) each(slow_without_a_card) each(isolated)               \
					each(isolated_by_another_policy) each(isolations_damaged)                      \
						each(refused_beside_a_trial) each(deaths) each(silence)                \
							each(no_journal) each(control_dies_meanwhile) each(restarts)   \
								each(power) each(touched) each(failing_calls)
LIVES(A_LIFE)

int main(void)
{
	const struct CMUnitTest tests[] = { LIVES(A_TEST) };

	policies_make();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
