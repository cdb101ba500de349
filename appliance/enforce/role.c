/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "appliance/base/messages.h"
#include "appliance/base/sentence.h"
#include "appliance/box/sysctl.h"
#include "appliance/enforce/apply.h"
#include "appliance/enforce/cut.h"
#include "appliance/enforce/doors.h"
#include "appliance/enforce/drift.h"
#include "appliance/enforce/effective.h"
#include "appliance/enforce/ended.h"
#include "appliance/enforce/enforce.h"
#include "appliance/enforce/generation.h"
#include "appliance/enforce/isolations.h"
#include "appliance/enforce/links.h"
#include "appliance/enforce/monitor.h"
#include "appliance/enforce/relabel.h"
#include "appliance/enforce/session.h"
#include "appliance/enforce/sockets.h"
#include "appliance/enforce/status.h"
#include "appliance/enforce/trust.h"
#include "appliance/enforce/used.h"
#include "appliance/enforce/verify.h"
#include "appliance/enforce/work.h"
#include "appliance/kernel/batch.h"
#include "appliance/kernel/deny_base.h"
#include "appliance/kernel/dump.h"
#include "appliance/role/roles.h"
#include "appliance/role/sandbox.h"
#include "appliance/wire/msg_json.h"

static void say_trouble(const struct err *e)
{
	fprintf(stderr, "sekishod enforce: %s\n", e->text);
}

/* Takes over the reference. */
static bool answer_refused(struct enforce *f, const struct msg *m, enum answer_status status, json_t *why)
{
	return msg_answer(f->roles.control, m->id, status, json_pack("{s:o}", "error", why)) == 0;
}

static bool refuse_with(struct enforce *f, const struct msg *m, enum message why)
{
	struct sentence said = { 0 };

	sentence_say(&said, why);
	return answer_refused(f, m, ANSWER_CANNOT, sentence_json(&said));
}

/* Takes over the reference. NULL is a failure that *e describes. */
static bool answer_with(struct enforce *f, const struct msg *m, enum answer_status status, json_t *j,
			const struct err *e)
{
	if (j == NULL)
		return answer_refused(f, m, ANSWER_CANNOT, json_text(e->text));
	return msg_answer(f->roles.control, m->id, status, j) == 0;
}

static bool on_status(void *ctx, struct msg *m)
{
	struct err e = { 0 };
	json_t *j = enforce_status(ctx, &e);

	return answer_with(ctx, m, ANSWER_YES, j, &e);
}

/* ---- questions that take long ---------------------------------------------------------------- */

/* Begins work on a question. False: the work must not be begun. `way` as in stop_begin. `tell`: the
 * asker wants reports of progress. */
static bool work_begin(struct enforce *f, const struct msg *m, bool way, bool tell, struct err *e)
{
	telling_begin(f, m->id, tell);
	if (stop_begin(f, m->id, way))
		return true;
	err_set(e, -ECANCELED, "stopped");
	return false;
}

/* Ends the work and answers the question, unless it made way for an order and will be asked again.
 * Takes over the reference; NULL is a failure that *e describes. */
static bool work_end(struct enforce *f, const struct msg *m, enum answer_status status, json_t *j, const struct err *e)
{
	bool left_off = e->code == -ECANCELED, again = j == NULL && left_off && stop_made_way(&f->hearing, m);

	stop_end(&f->hearing, left_off);
	telling_end(&f->telling);
	if (again)
		return true;
	/* Nobody reads this text, but control needs an answer, because it keeps a place for the
	 * question until then. */
	if (j == NULL && left_off)
		return answer_refused(f, m, ANSWER_CANNOT, json_string("stopped"));
	if (j == NULL && e->code == -ESTALE)
		return refuse_with(f, m, M_ENFORCE_OTHER);
	return answer_with(f, m, status, j, e);
}

static bool on_effective(void *ctx, struct msg *m)
{
	struct enforce *f = ctx;
	struct err e = { 0 };
	json_t *j = NULL;

	if (f->now == NULL)
		return refuse_with(f, m, M_ENFORCE_NOT_YET);
	if (work_begin(f, m, true, m->body.effective.tell != 0, &e))
		j = enforce_effective(f, &e);
	return work_end(f, m, ANSWER_YES, j, &e);
}

static bool on_flows(void *ctx, struct msg *m)
{
	struct enforce *f = ctx;
	struct sentence said = { 0 };
	struct err e = { 0 };
	json_t *j = NULL;
	const char *lacks;

	if (f->now == NULL)
		return refuse_with(f, m, M_ENFORCE_NOT_YET);
	lacks = enforce_flows_lacks(f->now, &m->body.flows.filter);
	if (lacks != NULL) {
		sentence_say(&said, M_FILTER_UNKNOWN, lacks);
		return answer_refused(f, m, ANSWER_INVALID, sentence_json(&said));
	}
	if (work_begin(f, m, false, false, &e))
		j = enforce_flows(f, &m->body.flows, &e);
	return work_end(f, m, ANSWER_YES, j, &e);
}

static bool on_verify(void *ctx, struct msg *m)
{
	struct enforce *f = ctx;
	struct arena *a = NULL;
	struct differences d = { .n = 0 };
	struct err e = { 0 };
	json_t *j = NULL;
	bool sent;

	if (f->now == NULL)
		return refuse_with(f, m, M_ENFORCE_NOT_YET);
	if (work_begin(f, m, true, m->body.verify.tell != 0, &e)) {
		a = arena_new(2 * DUMP_BUDGET);
		if (a == NULL)
			err_set(&e, -ENOMEM, "read-back");
		else if (enforce_verify(f, a, &d, &e) == 0)
			j = differences_json(&d, &f->now->ir);
	}
	sent = work_end(f, m, d.n == 0 ? ANSWER_YES : ANSWER_NO, j, &e);
	arena_free(a);
	return sent;
}

/* ---- orders ---------------------------------------------------------------------------------- */

/* The descriptors of an answer: two JSON arrays, the records of the sessions in them, and the list
 * of ended sessions for workers. Opens all or none. */
static size_t told_fds(struct told *t, int fds[4])
{
	size_t n_cut = t->cut.records.len, n_changed = t->changed.records.len;
	uint8_t *both = t->cut.json != NULL ? malloc(n_cut + n_changed + 1) : NULL;
	bool whole = both != NULL;

	if (both == NULL)
		return 0;
	memcpy(both, t->cut.records.p, n_cut);
	memcpy(both + n_cut, t->changed.records.p, n_changed);
	fds[0] = json_memfd(json_incref(t->cut.json));
	fds[1] = json_memfd(json_incref(t->changed.json));
	fds[2] = memfd_sealed("sekisho-sessions", both, n_cut + n_changed);
	fds[3] = told_cuts(t);
	free(both);
	for (size_t i = 0; i < 4; i++)
		whole &= fds[i] >= 0;
	for (size_t i = 0; i < 4 && !whole; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	return whole ? 4 : 0;
}

static bool applied(struct enforce *f, uint32_t id, bool done, struct apply_result *result, const struct err *e)
{
	const struct told *t = &result->told;
	const struct sync_report *report = &result->report;
	struct msg_body m = { MSG_APPLIED, .applied = { .done = done,
							.line = result->line,
							.rules_changed = report->rules,
							.rebuilt = report->rebuilt,
							.elements_added = report->added,
							.elements_removed = report->gone,
							.lingering = result->lingering,
							.n_cut = (uint32_t)t->cut.n,
							.n_changed = (uint32_t)t->changed.n,
							.live = t->live,
							.cut_more = t->cut.more,
							.changed_more = t->changed.more,
							.clock_wait = (uint8_t)result->clock_wait,
							.error = e->text } };
	int fds[4] = { -1, -1, -1, -1 };
	size_t n = done ? told_fds(&result->told, fds) : 0;
	bool sent = msg_send(f->roles.control, id, &m, fds, n) == 0;

	for (size_t i = 0; i < n; i++)
		close(fds[i]);
	told_free(&result->told);
	return sent;
}

static bool on_apply(void *ctx, struct msg *m)
{
	const struct msg_apply *b = &m->body.apply;
	struct enforce *f = ctx;
	bool looks = (b->flags & (APPLY_DRY_RUN | APPLY_FORETELL)) != 0,
	     had_sources = f->now != NULL && ir_time_sources(&f->now->ir);
	struct generation_held *next = NULL;
	struct apply_result result = { 0 };
	struct err e = { 0 };
	uint8_t *p = NULL;
	size_t n = 0;
	int r;

	/* A dry run changes nothing, so it may be interrupted. Foretelling (APPLY_FORETELL) is a
	 * part of an apply, which is always finished. */
	if ((b->flags & APPLY_DRY_RUN) != 0 && !stop_begin(f, m->id, false)) {
		stop_end(&f->hearing, true);
		err_set(&e, -ECANCELED, "stopped");
		return applied(f, m->id, false, &result, &e);
	}
	r = memfd_read(m->fds[0], GENERATION_MAX, &p, &n, &e);
	if (r == 0 && (b->n_sealed > n || b->n_ids > n - b->n_sealed))
		r = err_set(&e, -EBADMSG, "lengths of a generation");
	if (r == 0) {
		next = generation_hold(p, b->n_sealed, b->n_ids, &e);
		if (next == NULL)
			r = e.code != 0 ? e.code : -EBADMSG;
	}
	if (r == 0)
		r = generation_note_known(next, bytes_of(p + b->n_sealed + b->n_ids, n - b->n_sealed - b->n_ids), &e);
	free(p);
	telling_begin(f, m->id, (b->flags & APPLY_TELL) != 0);
	if (r == 0)
		enforce_trust_before(f, next);
	if (r == 0 && !looks)
		enforce_isolations_before(f, next);
	if (r == 0)
		r = enforce_apply(f, next, b->flags, &result, &e);
	if (f->now != NULL && !looks)
		enforce_isolations_before(f, f->now);
	if (r == 0)
		result.clock_wait = enforce_trust_waits(f, next, had_sources && (b->flags & APPLY_TRIAL) != 0);
	telling_end(&f->telling);
	stop_end(&f->hearing, e.code == -ECANCELED);
	if (f->now != next)
		generation_drop(next);
	else {
		enforce_pairs_tell(f);
		enforce_trust_after(f, had_sources);
	}
	return applied(f, m->id, r == 0, &result, &e);
}

static bool on_isolate(void *ctx, struct msg *m)
{
	return enforce_isolation(ctx, m);
}

static bool on_isolations(void *ctx, struct msg *m)
{
	enforce_isolations(ctx, m->fds[0]);
	return true;
}

static bool on_in_force(void *ctx, struct msg *m)
{
	struct enforce *f = ctx;

	f->roles.events.now = m->body.in_force.now;
	f->timing.trust.sources = m->body.in_force.sources != 0;
	f->timing.trust.policy = m->body.in_force.since;
	enforce_isolations_in_force(f);
	return true;
}

static bool on_doors(void *ctx, struct msg *m)
{
	return enforce_doors(ctx, m->id, m->fds[0]);
}

static bool on_door(void *ctx, struct msg *m)
{
	return enforce_door(ctx, m);
}

static bool on_used(void *ctx, struct msg *m)
{
	struct enforce *f = ctx;
	struct err e = { 0 };

	if (enforce_used_heard(&f->uses, m->fds[0], &e) < 0)
		say_trouble(&e);
	return true;
}

static bool on_clock(void *ctx, struct msg *m)
{
	return enforce_trust(ctx, m);
}

/* Has no effect: the question was answered already, or its work is always finished. */
static bool on_stop(void *ctx, struct msg *m)
{
	return true;
}

static msg_handler *const handlers[MSG_TYPE_COUNT] = {
	[MSG_STATUS] = on_status,   [MSG_EFFECTIVE] = on_effective,   [MSG_VERIFY] = on_verify, [MSG_FLOWS] = on_flows,
	[MSG_APPLY] = on_apply,	    [MSG_IN_FORCE] = on_in_force,     [MSG_CLOCK] = on_clock,	[MSG_STOP] = on_stop,
	[MSG_ISOLATE] = on_isolate, [MSG_ISOLATIONS] = on_isolations, [MSG_DOORS] = on_doors,	[MSG_USED] = on_used,
	[MSG_DOOR] = on_door,
};

/* False: the role ends. */
static bool control_readable(struct enforce *f)
{
	int r = stop_serve(f, handlers);

	return r == 1 || r == -EAGAIN || r == -EINTR;
}

static void glance(void *ctx)
{
	monitor_glance(ctx);
	telling_read(ctx);
}

static bool work_stopped(void *ctx)
{
	return stop_asked(ctx);
}

int enforce_begin(struct kernel_side *kernel, struct err *e)
{
	int r = forwarding_open(&kernel->forwarding, e);

	if (r < 0)
		return r;
	kernel->reverse_path = reverse_path_open();
	kernel->links = links_open(e);
	if (kernel->links < 0)
		return kernel->links;
	kernel->neighbours = neighbours_open(e);
	return kernel->neighbours < 0 ? kernel->neighbours : 0;
}

void enforce_end(struct enforce *f)
{
	enforce_doors_end(f);
	json_decref(f->isolated.list);
	begun_free(&f->uses.begun);
	matched_free(&f->uses.matched);
	heard_free(&f->uses.heard);
	enforce_labels_forget(&f->uses.labels);
	generation_drop(f->now);
	apart_free(&f->isolated.apart);
	apart_free(&f->isolated.kept);
	netlink_close(&f->kernel.net);
	forwarding_close(&f->kernel.forwarding);
	if (f->kernel.reverse_path >= 0)
		close(f->kernel.reverse_path);
	if (f->watched.delay >= 0)
		close(f->watched.delay);
	if (f->kernel.links >= 0)
		close(f->kernel.links);
	if (f->kernel.neighbours >= 0)
		close(f->kernel.neighbours);
	if (f->timing.trust.battery >= 0)
		close(f->timing.trust.battery);
}

static int open_all(struct enforce *f, struct err *e)
{
	bool adopted;
	int r;

	*f = (struct enforce){
		.roles = { .control = ROLE_FD_CONTROL, .events = { .fd = ROLE_FD_EVENTS } },
		.kernel = { .links = -1, .neighbours = -1, .forwarding = { -1, -1 }, .reverse_path = -1 },
		.watched = { .monitor = ENFORCE_FD_MONITOR, .delay = -1 },
		/* waits until the clock is found right */
		.timing = { .trust = { .battery = -1 }, .waits = true },
	};
	r = netlink_open(&f->kernel.net, ENFORCE_FD_REQUESTS, e);
	if (r == 0)
		r = enforce_socket_ignore(f->watched.monitor, f->kernel.net.portid, e);
	if (r == 0)
		r = enforce_begin(&f->kernel, e);
	if (r < 0)
		return r;
	f->kernel.net.between = glance;
	f->kernel.net.stopped = work_stopped;
	f->kernel.net.between_ctx = f;
	f->watched.delay = monitor_open_delay();
	trust_open(&f->timing.trust);
	r = sandbox_enter(ROLE_ENFORCE, e);
	if (r < 0)
		return r;
	f->kernel.lacks = batch_probe(&f->kernel.net);
	f->kernel.once_earlier = (f->kernel.lacks & LACKS_ONCE) == 0;
	r = deny_base_load(&f->kernel.net, &adopted, e);
	/* If the base rules were missing or wrong, packets may have been forwarded without them
	 * until now. So forwarding is switched off. */
	if (r < 0)
		(void)forwarding_set(&f->kernel.forwarding, false, NULL);
	else if (!adopted)
		r = forwarding_set(&f->kernel.forwarding, false, e);
	return r;
}

static void look_at_settings(struct enforce *f)
{
	enforce_mend_due(f);
	drift_settings(f);
}

static void look_at_sessions(struct enforce *f)
{
	enforce_linger(f);
	if (f->timing.relabel_due)
		enforce_relabel(f, NULL);
}

#define SETTINGS_NS 500000000ull
static const struct {
	uint64_t every_ns;
	void (*look)(struct enforce *f);
} chores[CHORES] = {
	[CHORE_SETTINGS] = { SETTINGS_NS, look_at_settings },
	[CHORE_LINGER] = { 2000000000ull, look_at_sessions },
	[CHORE_HEARD] = { HEARD_POLL_NS, enforce_listen },
	[CHORE_UNANSWERED] = { 1000000000ull, enforce_unanswered },
	[CHORE_TRUST] = { 1000000000ull, enforce_trust_due },
	[CHORE_COMPARE] = { 30000000000ull, drift_look },
};

/* Milliseconds; -1 = not soon. */
static int sooner_ms(int a, int b)
{
	return a >= 0 && (b < 0 || a < b) ? a : b;
}

static void enforce_loop(struct enforce *f)
{
	for (;;) {
		struct pollfd p[3] = {
			{ .fd = f->roles.control, .events = POLLIN },
			{ .fd = f->watched.monitor, .events = POLLIN },
			{ .fd = f->kernel.links, .events = POLLIN },
		};
		const struct clock_pair before = f->timing.clocks;
		struct mono mono;
		uint64_t now, wall;
		int wait = sooner_ms(SETTINGS_NS / 2000000, enforce_ended(f));

		wait = sooner_ms(wait, enforce_opens(f));
		wait = sooner_ms(wait, enforce_lasting(f));
		wait = sooner_ms(wait, enforce_macs_due(f));
		enforce_used_tell(f);
		monitor_sleep(f);
		/* An overrun of the monitor's queue is an error on the socket and is read as
		 * one. */
		if (poll(p, 3, stop_keeps(&f->hearing) ? 0 : wait) < 0 && errno != EINTR)
			return;
		if (p[1].revents != 0)
			monitor_woken(f);
		monitor_glance(f);
		drift_settle(f);
		if (p[2].revents != 0)
			drift_links(f);
		if ((p[0].revents != 0 || stop_keeps(&f->hearing)) && !control_readable(f))
			return;
		/* A question or an apply may take long, and only reads the monitor's reports
		 * meanwhile. They are handled here. */
		drift_settle(f);
		enforce_doors_due(f);
		(void)enforce_opens(f);
		enforce_waits_due(f);
		mono = clock_mono();
		now = mono.ns;
		/* The kernel counts remaining time, and the policy has clock times. So when the
		 * clock was set, the times in the kernel are wrong. */
		wall = clock_wall_ns();
		if (clock_was_set(&f->timing.clocks, mono, wall)) {
			f->timing.clock_due = true;
			heard_clock(&f->uses.heard, mono, wall);
			matched_clock(&f->uses.matched, before.wall_ns + (now - before.mono.ns), wall);
			enforce_hours_set(f);
			f->watched.compare_due = true;
		}
		for (unsigned i = 0; i < CHORES; i++)
			if (now >= f->due_ns[i] || (i == CHORE_COMPARE && f->watched.compare_due)) {
				f->due_ns[i] = now + chores[i].every_ns;
				f->watched.compare_due &= i != CHORE_COMPARE;
				chores[i].look(f);
			}
	}
}

int role_enforce(void)
{
	struct enforce f;
	struct err e = { 0 };
	int r = open_all(&f, &e);

	if (r < 0) {
		say_trouble(&e);
		return ANSWER_CANNOT;
	}
	if (msg_send(f.roles.control, 0, &(struct msg_body){ .type = MSG_READY }, NULL, 0) == 0)
		enforce_loop(&f);
	enforce_used_look(&f);
	enforce_used_tell(&f);
	enforce_end(&f);
	return ANSWER_YES;
}
