/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the clock has been trusted since the machine started. While it is not, everything that
 * ends by time is left out, and the clock is judged every second. Once it is trusted, it stays
 * trusted until the machine restarts, and only its latest moment is recorded now and then.
 * clock_judge (store/moment.h) decides. The supervisor keeps the record on the disk, and says who
 * has confirmed the clock. If the clock loses its source later, it stays trusted; control records
 * that (control/clock.c).
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/base/clock_source.h"
#include "appliance/base/memfd.h"
#include "appliance/box/loan.h"
#include "appliance/enforce/apply.h"
#include "appliance/enforce/enforce.h"
#include "appliance/enforce/generation.h"
#include "appliance/enforce/trust.h"
#include "appliance/kernel/dump.h"
#include "appliance/role/said.h"
#include "appliance/store/in_force.h"
#include "appliance/wire/msg_json.h"

#define SECOND 1000000000ull
#define KEEP_NS (60 * SECOND) /* between two looks at a trusted clock */

/* Whether it is the generation of a box without a policy, which names no time sources. */
static bool is_empty(const struct generation_held *g)
{
	return g == NULL || g->ir.n_sources == 0;
}

static bool of_this_start(const struct trust *t)
{
	return t->boot[0] != 0 && strcmp(t->moment.boot, t->boot) == 0;
}

/* `tried`: `g` is tried, and the policy before it names time sources. */
static enum clock_wait judge_clock(const struct trust *t, const struct generation_held *g, bool tried)
{
	struct clock_facts facts = {
		.now = clock_wall_s(),
		.found = t->found,
		.latest = t->moment.latest,
		.same_boot = of_this_start(t),
		.stands = t->stands && !is_empty(g),
		.policy = t->policy,
		.sources = ir_time_sources(&g->ir) || t->sources || tried,
		.sync = clock_synchronised(),
	};

	facts.battery = clock_battery(t->battery, &facts.battery_s);
	return clock_judge(&facts);
}

/* Tells the supervisor the state, and in `fd` what it is to store; -1 = nothing. */
static void tell_clock(struct enforce *f, int fd)
{
	const struct trust *t = &f->timing.trust;
	const struct msg_body m = { MSG_CLOCK, .clock = { .wait = (uint8_t)t->wait,
							  .found = (uint8_t)t->found,
							  .latest = t->moment.latest,
							  .told = t->told } };

	(void)msg_send(f->roles.control, 0, &m, &fd, fd >= 0 ? 1 : 0);
}

/* Has the present moment stored. The supervisor tries again when the disk is full. */
static void save_moment(struct enforce *f)
{
	struct moment m = { .latest = clock_wall_s() };
	char text[MOMENT_TEXT];
	int fd;

	memcpy(m.boot, f->timing.trust.boot, sizeof(m.boot));
	fd = memfd_sealed("sekisho-clock", text, moment_write(&m, text));
	if (fd >= 0) {
		f->timing.trust.moment = m;
		f->timing.trust.found = MOMENT_READ;
	}
	tell_clock(f, fd);
	if (fd >= 0)
		close(fd);
}

/* Reports once in a start of the machine that the clock is not trusted, if the policy has conduits
 * that wait for it. */
static void say_waits(struct enforce *f)
{
	struct trust *t = &f->timing.trust;

	if (t->told || t->wait == CLOCK_TRUSTED || waiting_count(&f->now->ir, clock_wall_s()) == 0)
		return;
	t->told = true;
	event_record(&f->roles.events, EVENT_MACHINE, MACHINE_CLOCK_WAITS, 0,
		     (struct said){ .object = clock_wait_words[t->wait] });
	tell_clock(f, -1);
}

/* The clock is trusted, and a policy is in force. */
static void trusted(struct enforce *f)
{
	struct trust *t = &f->timing.trust;
	bool told = t->told;

	t->told = false;
	if (!of_this_start(t))
		save_moment(f);
	else
		tell_clock(f, -1);
	if (told)
		event_record(&f->roles.events, EVENT_MACHINE, MACHINE_CLOCK_TRUSTED, 0,
			     (struct said){ .object = clock_synchronised() == CLOCK_SYNC_YES ? "source" : "clock" });
}

static void look_at_clock(struct enforce *f, const struct generation_held *g)
{
	struct trust *t = &f->timing.trust;
	enum clock_wait before = t->wait;

	t->wait = judge_clock(t, g, false);
	if (t->wait == before)
		return;
	tell_clock(f, -1);
	if ((before == CLOCK_TRUSTED) != (t->wait == CLOCK_TRUSTED))
		enforce_waits(f, t->wait != CLOCK_TRUSTED);
}

void trust_open(struct trust *t)
{
	*t = (struct trust){ .battery = clock_battery_open(), .wait = CLOCK_WAITS_DAEMON };
	loan_boot_id(t->boot);
}

void enforce_trust_before(struct enforce *f, const struct generation_held *next)
{
	if (is_empty(f->now))
		look_at_clock(f, next);
}

void enforce_trust_after(struct enforce *f, bool had_sources)
{
	struct trust *t = &f->timing.trust;

	/* only at the start do the rules show it: if the clock is not trusted, what ends by time is
	 * removed from here on */
	t->stands = false;
	/* as long as the supervisor has not said that the new policy is on no trial */
	t->sources = t->sources || had_sources;
	if (is_empty(f->now))
		return;
	if (t->wait == CLOCK_TRUSTED && (t->told || !of_this_start(t)))
		trusted(f);
	say_waits(f);
}

void enforce_trust_due(struct enforce *f)
{
	struct trust *t = &f->timing.trust;
	struct mono now = clock_mono();

	if (f->now == NULL)
		return;
	/* A first policy was only tried, or did not stay. */
	if (is_empty(f->now)) {
		if (t->wait != CLOCK_TRUSTED)
			look_at_clock(f, f->now);
		return;
	}
	if (t->wait != CLOCK_TRUSTED) {
		say_waits(f);
		look_at_clock(f, f->now);
		if (t->wait == CLOCK_TRUSTED)
			trusted(f);
	} else if (now.ns >= t->keep_ns) {
		t->keep_ns = now.ns + KEEP_NS;
		if (t->found != MOMENT_READ || strcmp(t->moment.boot, t->boot) != 0 ||
		    clock_steady_due(&t->steady, now, clock_wall_ns()))
			save_moment(f);
	}
}

enum clock_wait enforce_trust_waits(const struct enforce *f, const struct generation_held *g, bool tried)
{
	/* A policy is judged by its own sources, not by those in force. While it is on trial, both
	 * count. */
	return !is_empty(f->now) && f->timing.trust.wait == CLOCK_TRUSTED ? CLOCK_TRUSTED
									  : judge_clock(&f->timing.trust, g, tried);
}

static bool confirmed(struct enforce *f, const struct msg *m)
{
	struct trust *t = &f->timing.trust;
	bool waited = t->wait != CLOCK_TRUSTED;
	json_t *was = t->found == MOMENT_READ ? json_time(t->moment.latest * SECOND) : json_null();

	t->wait = CLOCK_TRUSTED;
	t->told = false;
	save_moment(f);
	if (waited)
		enforce_waits(f, false);
	event_record(&f->roles.events, EVENT_MACHINE, MACHINE_CLOCK_CONFIRMED, 0,
		     (struct said){ .by = (const char *)m->body.clock.by,
				    .object = json_is_string(was) ? json_string_value(was) : "-" });
	/* control fills in what is null (control/facts.c) */
	return msg_answer(f->roles.control, m->id, ANSWER_YES,
			  json_pack("{s:o, s:b, s:n, s:n}", "before", was, "waited", (int)waited, "saved", "clock")) ==
	       0;
}

bool enforce_trust(struct enforce *f, struct msg *m)
{
	struct trust *t = &f->timing.trust;
	uint8_t *p = NULL;
	struct err e;
	size_t n = 0;

	if (m->id != 0)
		return confirmed(f, m);
	if (m->n_fds > 0 && memfd_read(m->fds[0], MOMENT_TEXT, &p, &n, &e) < 0)
		return false;
	t->found = moment_read(p, n, &t->moment);
	free(p);
	t->told = m->body.clock.told != 0;
	/*
	 * If there is no record that the clock is trusted, the rules in the kernel may show it: an
	 * older release may have loaded them, or the record may be lost. A box with an untrusted
	 * clock has removed everything that ends by time, and the deny base has nothing of that
	 * kind.
	 */
	if (f->now == NULL && !of_this_start(t))
		(void)ends_stand(&f->kernel.net, &t->stands, &e);
	return true;
}
