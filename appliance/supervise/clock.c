/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "appliance/base/clock.h"
#include "appliance/box/loan.h"
#include "appliance/kernel/dump.h"
#include "appliance/store/in_force.h"
#include "appliance/supervise/supervise.h"

#define LOOK_NS SECOND	      /* interval of looks in ns while the clock is not trusted */
#define KEEP_NS (60 * SECOND) /* interval of looks in ns once it is trusted */

/* When the confirmed policy came into force, in seconds since 1970. If there is no record of the
 * latest moment, this is the latest time that is known. */
static uint64_t policy_moment(const struct supervisor *s)
{
	const struct generation_record *g = generation_find(&s->store, s->store.confirmed);

	return g != NULL ? g->applied_ns / SECOND : 0;
}

static bool of_this_start(const struct clock_trust *t, const struct moment *m)
{
	return t->boot[0] != 0 && strcmp(m->boot, t->boot) == 0;
}

static enum clock_wait judge(const struct supervisor *s, const struct ir *ir)
{
	const struct clock_trust *t = &s->clock;
	struct clock_facts f = {
		.now = wall_s(),
		.found = t->found,
		.latest = t->moment.latest,
		.same_boot = of_this_start(t, &t->moment) || t->noted,
		.stands = t->stands,
		.policy = policy_moment(s),
		.sources = clock_by_sources(s, ir),
		.sync = clock_synchronised(),
	};

	f.battery = clock_battery(&f.battery_s);
	return clock_judge(&f);
}

/* Notes in the run folder that the clock is trusted, because the disk may be full, and what is open
 * must stay open after a restart of the daemon. */
static void note(struct supervisor *s, const struct moment *m)
{
	struct err e;

	if (!s->clock.noted)
		s->clock.noted = moment_save(s->run_fd, m, &e) == 0;
}

static void save(struct supervisor *s)
{
	struct clock_trust *t = &s->clock;
	struct moment m = { .latest = wall_s() };
	struct err e = { 0 };

	snprintf(m.boot, sizeof(m.boot), "%s", t->boot);
	note(s, &m);
	t->unsaved = moment_save(s->state_fd, &m, &e) < 0;
	if (t->unsaved)
		return; /* the disk is full: clock_due tries again */
	t->moment = m;
	t->found = MOMENT_READ;
}

/* Reports once in a start of the machine that the clock is not trusted, if the policy has conduits
 * that wait for it. */
static void say_waits(struct supervisor *s)
{
	struct clock_trust *t = &s->clock;

	if (t->told || t->wait == CLOCK_TRUSTED || waiting_count(s->now->ir, wall_s()) == 0)
		return;
	t->told = true;
	say(s, M_CLOCK_WAITS);
	machine_event(s, MACHINE_CLOCK_WAITS, (struct said){ .object = clock_wait_words[t->wait] });
}

static void trusted(struct supervisor *s)
{
	struct clock_trust *t = &s->clock;

	t->wait = CLOCK_TRUSTED;
	if (!of_this_start(t, &t->moment))
		save(s);
	else
		note(s, &t->moment);
	if (t->told)
		machine_event(s, MACHINE_CLOCK_TRUSTED,
			      (struct said){ .object = clock_synchronised() == CLOCK_SYNC_YES ? "source" : "clock" });
	t->told = false;
}

/* Tells enforce whether the clock is trusted, and sets the journal's retention rule by that. */
static void changed(struct supervisor *s)
{
	clock_tell(s);
	journal_retention(s);
}

static void look(struct supervisor *s, const struct policy *p)
{
	struct clock_trust *t = &s->clock;
	enum clock_wait before = t->wait;

	t->wait = judge(s, p->ir);
	if ((before == CLOCK_TRUSTED) != (t->wait == CLOCK_TRUSTED))
		changed(s);
}

static int look_for_ends(void *ctx, struct err *e)
{
	return ends_stand_here(ctx, e);
}

/*
 * If there is no record that the clock is trusted, the rules in the kernel may show it: an older
 * release may have loaded them, or the record may be lost. A box with an untrusted clock has
 * removed everything that ends by time, and the deny base has nothing of that kind.
 */
static enum clock_wait by_the_rules(struct supervisor *s, enum clock_wait before)
{
	struct clock_trust *t = &s->clock;
	struct err e;
	enum clock_wait w;

	if (before == CLOCK_TRUSTED || s->now->number == 0)
		return before;
	(void)in_namespace(s, s->spaces.data, look_for_ends, &t->stands, &e);
	w = judge(s, s->now->ir);
	/* only at the start do the rules show it: if the clock is not trusted, what ends by time is
	 * removed from here on */
	t->stands = false;
	return w;
}

void clock_open(struct supervisor *s)
{
	struct clock_trust *t = &s->clock;
	struct moment here;

	loan_boot_id(t->boot);
	t->found = moment_load(s->state_fd, &t->moment);
	t->noted = moment_load(s->run_fd, &here) == MOMENT_READ && of_this_start(t, &here);
	t->wait = by_the_rules(s, judge(s, s->now->ir));
	if (t->wait == CLOCK_TRUSTED && s->now->number != 0)
		trusted(s);
	say_waits(s);
}

void clock_look(struct supervisor *s, bool open, bool closed)
{
	struct clock_trust *t = &s->clock;

	loan_boot_id(t->boot);
	t->found = s->state_fd >= 0 ? moment_load(s->state_fd, &t->moment) : MOMENT_NONE;
	t->wait = open ? CLOCK_TRUSTED : judge(s, s->now->ir);
	if (closed && t->wait == CLOCK_TRUSTED)
		t->wait = CLOCK_WAITS_DAEMON;
}

void clock_before(struct supervisor *s, const struct policy *p)
{
	if (s->now->number == 0)
		look(s, p);
}

/* Whether the clock must be watched without a policy: it is not trusted, and a first policy with
 * time sources was only tried, or did not stay. */
static bool left_behind(const struct supervisor *s)
{
	return s->now->number == 0 && s->op.kind == OP_NONE && s->clock.wait != CLOCK_TRUSTED;
}

uint64_t clock_due(struct supervisor *s, uint64_t now)
{
	struct clock_trust *t = &s->clock;

	if (s->trial == 0 && s->op.kind == OP_NONE)
		t->sources = ir_time_sources(s->now->ir);
	if (s->now->number == 0 && !left_behind(s))
		return UINT64_MAX;
	if (now < t->look_at)
		return t->look_at;
	t->look_at = now + (t->wait == CLOCK_TRUSTED ? KEEP_NS : LOOK_NS);
	if (t->wait != CLOCK_TRUSTED) {
		say_waits(s);
		look(s, s->now);
		if (t->wait == CLOCK_TRUSTED && s->now->number != 0)
			trusted(s);
	} else if (t->unsaved || t->found != MOMENT_READ || strcmp(t->moment.boot, t->boot) != 0 ||
		   clock_steady_due(&t->steady, clock_mono(), clock_wall_ns())) {
		save(s);
	}
	return t->look_at;
}

void clock_confirm(struct supervisor *s, struct asker a, const char *by)
{
	struct clock_trust *t = &s->clock;
	bool waited = t->wait != CLOCK_TRUSTED;
	json_t *was = t->found == MOMENT_READ ? json_time(t->moment.latest * SECOND) : json_null();

	t->wait = CLOCK_TRUSTED;
	t->told = false;
	save(s);
	if (waited)
		changed(s);
	machine_event(s, MACHINE_CLOCK_CONFIRMED,
		      (struct said){ .by = by, .object = json_is_string(was) ? json_string_value(was) : "-" });
	answer_json(s, a, ANSWER_YES,
		    json_pack("{s:o, s:b, s:b, s:o}", "before", was, "waited", (int)waited, "saved", (int)!t->unsaved,
			      "clock", json_null()));
}

json_t *json_clock_waits(const struct supervisor *s, const struct ir *ir)
{
	const struct clock_trust *t = &s->clock;
	/* A policy is judged by its own sources, not by those in force. Without a policy in force,
	 * the clock is judged as in clock_before. */
	enum clock_wait wait = s->now->number != 0 && t->wait == CLOCK_TRUSTED ? CLOCK_TRUSTED : judge(s, ir);

	if (wait == CLOCK_TRUSTED || waiting_count(ir, wall_s()) == 0)
		return NULL;
	return json_pack("{s:b, s:s, s:o, s:o}", "trusted", 0, "waits", clock_wait_words[wait], "latest",
			 t->found == MOMENT_READ ? json_time(t->moment.latest * SECOND) : json_null(), "waiting",
			 waiting_names(ir, wall_s()));
}
