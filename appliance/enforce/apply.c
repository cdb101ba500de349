/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One apply. Its steps: finish relabelling that is still due; find which permits linger, and which
 * live sessions no permit will allow any more; commit the transaction; set the settings; turn
 * forwarding on; relabel sessions. Only the commit changes what passes. Sessions that the commit
 * cuts are not reset here. The supervisor gives the workers a list of them (wire/cuts.h), and each
 * worker at once resets those that it follows. The other sessions are reset at their next packet,
 * which does not pass.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/clock.h"
#include "appliance/enforce/apply.h"
#include "appliance/enforce/cut.h"
#include "appliance/enforce/ended.h"
#include "appliance/enforce/enforce.h"
#include "appliance/enforce/generation.h"
#include "appliance/enforce/links.h"
#include "appliance/enforce/monitor.h"
#include "appliance/enforce/relabel.h"
#include "appliance/enforce/session.h"
#include "appliance/enforce/sync.h"
#include "appliance/enforce/usage.h"
#include "appliance/enforce/used.h"
#include "appliance/enforce/verify.h"
#include "appliance/enforce/work.h"
#include "appliance/kernel/dump.h"
#include "appliance/wire/said.h"

#define ATTEMPTS 6

/* Whether the list of live sessions is needed. Mostly it is not, so the kernel's sessions need not
 * be dumped. */
static bool anybody_asks(const struct enforce *f, const struct generation_held *next, const struct usage *u)
{
	const struct generation_held *now = f->now;

	if (now == NULL || u->n_kept > 0)
		return u->n_kept > 0;
	for (uint32_t i = 0; i < now->ir.n_permits; i++)
		if (now->ir.permits[i].tighten_new_flows && generation_permit(next, now->ids[i]) == UINT32_MAX)
			return true;
	return false;
}

/* Finds the permits that live sessions have. This decides which permits linger. */
static int usage_take(struct enforce *f, const struct generation_held *next, const struct image *have, struct arena *a,
		      struct usage *ret, struct err *e)
{
	if (!usage_begin(f->now, have, a, ret))
		return err_set(e, -ENOMEM, "live sessions");
	if (!anybody_asks(f, next, ret))
		return 0;
	return conntrack_dump(&f->kernel.net, usage_note, usage_restart, ret, e);
}

/*
 * After a restart of this role only the kernel knows which permits linger. Two kinds of permits
 * linger no longer although they have sessions.
 *
 * One is an inspected permit for which no worker has a command table, because the whole box was
 * restarted. Its sessions are looked up again, and go on under another permit or are reset.
 *
 * The other is a permit with an element of SET_LIVE whose device index no device has now, because
 * it is not known which device that was. If the permit lingered, and the device had returned with a
 * new index, packets of its sessions would be taken for forged ones, and no end would get a reset.
 */
static int linger_adopt(struct generation_held *next, const struct image *have, const struct usage *u)
{
	const struct image_elements *el = &have->elements[TABLE_LINGERING], *live = &have->elements[SET_LIVE];
	uint32_t permit, mark, device;
	int r = 0;

	for (size_t i = 0; i < el->n && r == 0; i++) {
		struct lingering l = { 0 };
		bool lost = false;

		memcpy(&permit, el->list[i].key, sizeof(permit));
		if (!usage_has(u, permit) || generation_permit(next, permit) != UINT32_MAX)
			continue;
		l.permit = permit;
		for (size_t k = 0; k < live->n; k++) {
			memcpy(&mark, live->list[k].key + 8, sizeof(mark));
			if (mark_permit(mark) != permit)
				continue;
			l.lane = mark_lane(mark);
			memcpy(&device, live->list[k].key, sizeof(device));
			lost |= generation_interface(next, device) == NULL;
		}
		if (!lost && (l.lane == LANE_NONE || generation_knows(next, permit)))
			r = generation_keep(next, have, l);
	}
	return r;
}

/* Whether a permit of the policy in force that the next policy lacks is kept for its sessions. */
static bool outlives(const struct generation_held *now, const struct generation_held *next, const struct usage *u,
		     uint32_t permit)
{
	return now->ir.permits[permit].tighten_new_flows && u->used[permit] &&
	       generation_permit(next, now->ids[permit]) == UINT32_MAX;
}

/* Whether a permit that lingers already is kept. */
static bool permit_stays(const struct generation_held *next, const struct usage *u, struct lingering l)
{
	return usage_has(u, l.permit) && generation_permit(next, l.permit) == UINT32_MAX;
}

static bool any_lingers(const struct generation_held *now, const struct generation_held *next, const struct usage *u)
{
	for (uint32_t i = 0; i < now->ir.n_permits; i++)
		if (outlives(now, next, u, i))
			return true;
	for (size_t i = 0; i < now->n_lingering; i++)
		if (permit_stays(next, u, now->lingering[i]))
			return true;
	return false;
}

/* Chooses the permits of the generation in force that stay alive for their sessions under
 * `next`. */
static int linger_choose(struct enforce *f, struct generation_held *next, const struct image *have, struct arena *a,
			 const struct usage *u, struct err *e)
{
	const struct generation_held *now = f->now;
	struct generation_held last;
	struct expectation x;
	struct image old;
	int r;

	generation_places(next, now);
	if (now == NULL) {
		r = linger_adopt(next, have, u);
		return r < 0 ? err_set(e, r, "lingering permits") : 0;
	}
	if (!any_lingers(now, next, u))
		return 0;
	/* The image `old` has each device's elements with the index that the device last had. */
	last = *now;
	last.interfaces = now->kept_at;
	r = generation_image(f, &last, a, &old, &x, e);
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < now->ir.n_permits && r == 0; i++) {
		struct lingering l = { now->ids[i], now->ir.permits[i].lane };

		if (outlives(now, next, u, i))
			r = generation_keep(next, &old, l);
	}
	for (size_t i = 0; i < now->n_lingering && r == 0; i++)
		if (permit_stays(next, u, now->lingering[i]))
			r = generation_keep(next, &old, now->lingering[i]);
	/* More permits than LINGER_MAX: the sessions of further ones are cut, as without
	 * on_tighten. */
	if (r == -ENOSPC)
		r = 0;
	return r < 0 ? err_set(e, r, "lingering permits") : 0;
}

/* True when the kernel's state changed between dump and commit: try again. */
static bool moved(int r)
{
	return r == -ERESTART || r == -ENOENT || r == -EEXIST || r == -EINTR || r == -ENOBUFS || r == -EAGAIN;
}

/* `seen`: the state that was dumped before, or NULL. The kernel refuses the transaction if there
 * was another one since that dump. */
static int commit(struct enforce *f, struct generation_held *next, const struct image *seen, bool try,
		  struct sync_report *ret, struct err *e)
{
	int r = -EAGAIN;

	for (int attempt = 0; attempt < ATTEMPTS && moved(r); attempt++) {
		struct arena *a = arena_new(2 * DUMP_BUDGET);
		struct expectation x;
		struct image have, want;

		if (a == NULL)
			return err_set(e, -ENOMEM, "transaction");
		(void)links_resolve(f->kernel.links, next);
		generation_follow(next);
		telling_stage(f, PROGRESS_READS);
		r = 0;
		if (seen != NULL)
			have = *seen;
		else
			r = netlink_dump_since(&f->kernel.net, a, f->uses.labels.known ? &f->uses.labels.image : NULL,
					       &have, e);
		seen = NULL;
		telling_stage(f, PROGRESS_KERNEL);
		if (r == 0)
			r = generation_image(f, next, a, &want, &x, e);
		if (r == 0)
			matched_seed(&f->uses.matched, &have, next, &want);
		if (f->kernel.once_earlier && !try)
			/* as if the kernel had no rules: so all are written again */
			have.n_rules = 0;
		if (r == 0)
			r = table_sync(&f->kernel.net, &have, &want, &x, f->kernel.lacks, try, ret, e);
		if (r == 0 && !try) {
			f->kernel.once_earlier = false;
			matched_carry(&f->uses.matched, &have, &want, clock_wall_ns());
		}
		if (r < 0)
			/* after any failure the labels are read again */
			enforce_labels_forget(&f->uses.labels);
		arena_free(a);
	}
	return r;
}

static int mend(struct enforce *f, struct sync_report *ret, struct err *e)
{
	int r = f->now == NULL ? 0 : commit(f, f->now, NULL, false, ret, e);

	f->mend_due = r < 0;
	return r;
}

int enforce_mend(struct enforce *f, struct err *e)
{
	struct sync_report unused;

	return mend(f, &unused, e);
}

void enforce_mend_due(struct enforce *f)
{
	struct err e;

	if (f->mend_due && enforce_mend(f, &e) == 0)
		f->timing.clock_due = false;
}

/* Reads back what the kernel has. If the first commit missed something, a second one mends it. */
static int read_back(struct enforce *f, struct err *e)
{
	struct differences d = { 0 };
	int r = 0;

	for (int attempt = 0; attempt < 2; attempt++) {
		struct arena *a = arena_new(2 * DUMP_BUDGET);

		r = a == NULL ? err_set(e, -ENOMEM, "read-back") : enforce_compare(f, a, &d, e);
		if (r == 0 && d.ours > 0)
			r = err_set(e, -EUCLEAN, "what was read back differs: %s %s: %.120s", d.list[0].where,
				    d.list[0].what, d.list[0].detail);
		arena_free(a);
		if (r != -EUCLEAN || attempt > 0)
			break;
		r = enforce_mend(f, e);
		if (r < 0)
			break;
	}
	return r;
}

int enforce_open(struct enforce *f, struct err *e)
{
	uint32_t news = f->watched.meddling.news;
	int r = sysctl_apply(f->now->ir.record_passed, e);

	if (r == 0)
		r = read_back(f, e);
	monitor_glance(f);
	if (r == 0 && f->watched.meddling.news != news)
		r = err_set(e, -EAGAIN, "another program changed the rules meanwhile");
	if (r == 0 && !forwarding_is_on(&f->kernel.forwarding)) {
		r = forwarding_set(&f->kernel.forwarding, true, e);
		/* Turning forwarding on resets some settings. */
		if (r == 0)
			r = sysctl_apply(f->now->ir.record_passed, e);
	}
	/* After any failure, even of the read-back alone, forwarding is off, and drift_settings
	 * tries again. */
	if (r < 0)
		(void)forwarding_set(&f->kernel.forwarding, false, NULL);
	else
		record_opened(f);
	f->watched.shut = r < 0;
	return r;
}

/* Dumps the present state into *have. Finds what lingers under `next`, and which sessions `next`
 * cuts. */
static int prepare_apply(struct enforce *f, struct generation_held *next, bool boot, struct arena *a,
			 struct image *have, struct told *ret, struct err *e)
{
	struct usage u;
	int r;

	telling_stage(f, PROGRESS_READS);
	r = netlink_dump_since(&f->kernel.net, a, f->uses.labels.known ? &f->uses.labels.image : NULL, have, e);
	telling_stage(f, PROGRESS_SESSIONS);
	/* When a permit leaves the table, its counters are lost, so they are read before. If the
	 * kernel has the same table as before a restart of this role, its counters also contain
	 * sessions that began while no process ran. */
	if (r == 0 && (f->now != NULL || boot))
		matched_note(&f->uses.matched, have, f->now != NULL ? f->now : next, clock_wall_ns());
	if (r == 0)
		begun_looked(f, have, true);
	if (r == 0)
		r = usage_take(f, next, have, a, &u, e);
	if (r == 0)
		r = linger_choose(f, next, have, a, &u, e);
	if (r == 0)
		r = enforce_cut(f, next, have, ret, e);
	return r;
}

/* Records what others did to the rules of this generation while no process listened. */
static void report_unwatched(struct enforce *f, struct generation_held *next)
{
	struct arena *a = arena_new(2 * DUMP_BUDGET);
	struct drift_record found = { 0 };
	struct differences d = { 0 };
	struct image have;
	uint8_t digest[32];
	struct err e;

	f->now = next;
	if (a != NULL && netlink_dump(&f->kernel.net, a, &have, &e) == 0 && image_digest(&have, digest) &&
	    memcmp(digest, next->ir.digest, sizeof(digest)) == 0 && enforce_compare(f, a, &d, &e) == 0)
		record_unwatched(&found, &d);
	if (found.n > 0)
		record_send(f, &found, DRIFT_CHANGED, 0, 0, "");
	f->now = NULL;
	arena_free(a);
}

/*
 * Puts the former policy back. To be called if the new one was committed, but the result could not
 * be read back or made safe. Forwarding stays off until the kernel's rules have been read
 * (drift_settings tries again and again).
 */
static void go_back(struct enforce *f, struct generation_held *old)
{
	struct drift_record nothing = { 0 };
	struct err e = { 0 };
	int r;

	f->now = old;
	r = enforce_mend(f, &e);
	if (r == 0)
		r = enforce_open(f, &e);
	if (r < 0)
		record_send(f, &nothing, DRIFT_SHUT, 0, 0, e.text);
	/* Sessions that began in between have labels of the generation that failed. */
	f->timing.relabel_due = true;
}

/* Prepares the transaction and carries it out. */
static int change_over(struct enforce *f, struct generation_held *next, uint8_t flags, struct apply_result *ret,
		       struct err *e)
{
	struct arena *a = arena_new(2 * DUMP_BUDGET);
	bool boot = (flags & APPLY_BOOT) != 0 && f->now == NULL;
	struct image have;
	int r;

	if (a == NULL)
		return err_set(e, -ENOMEM, "apply");
	r = prepare_apply(f, next, boot, a, &have, &ret->told, e);
	ret->lingering = (uint32_t)next->n_lingering;
	if (r == 0 && boot)
		report_unwatched(f, next);
	if (r == 0 && (flags & APPLY_FORETELL) == 0) {
		r = commit(f, next, &have, (flags & APPLY_DRY_RUN) != 0, &ret->report, e);
		ret->line = ret->report.line;
	}
	arena_free(a);
	return r;
}

int enforce_apply(struct enforce *f, struct generation_held *next, uint8_t flags, struct apply_result *ret,
		  struct err *e)
{
	struct generation_held *old = f->now;
	int r;

	*ret = (struct apply_result){ 0 };
	generation_at(f, next);
	(void)links_resolve(f->kernel.links, next);
	/* A permit may only linger when the labels of its sessions are right, so relabelling that
	 * is still due comes first. */
	if (f->timing.relabel_due && (flags & (APPLY_FORETELL | APPLY_DRY_RUN)) == 0)
		enforce_relabel(f, NULL);
	r = change_over(f, next, flags, ret, e);
	if (r < 0)
		return r;
	if ((flags & (APPLY_FORETELL | APPLY_DRY_RUN)) == 0) {
		f->now = next;
		f->uses.matched.at_once = true;
		f->timing.lasting_ns = 0; /* a changed limit also holds for live sessions */
		r = enforce_open(f, e);
		/* -EAGAIN: another program's transaction came between ours and the read-back. It is
		 * mended here, and drift_settle reports it. */
		for (int attempt = 0; attempt < ATTEMPTS && r == -EAGAIN; attempt++) {
			r = mend(f, &ret->report, e);
			if (r == 0)
				r = enforce_open(f, e);
		}
		if (r < 0 && old != NULL) {
			go_back(f, old);
			return r;
		}
		enforce_relabel(f, old);
		enforce_listen_adopt(f);
		if (old != NULL)
			enforce_ended_leave(f, old);
		generation_drop(old);
		if ((flags & APPLY_BOOT) != 0)
			/* the next comparison, now, reports what others put beside our table while
			 * nobody listened */
			f->watched.compare_due = true;
	}
	return r;
}

void enforce_linger(struct enforce *f)
{
	struct generation_held *g = f->now;
	struct arena *a;
	struct usage u;
	struct err e;
	size_t kept = 0;

	if (g == NULL || g->n_lingering == 0)
		return;
	a = arena_new(DUMP_BUDGET);
	if (a == NULL)
		return;
	if (usage_take(f, g, NULL, a, &u, &e) == 0) {
		for (size_t i = 0; i < g->n_lingering; i++)
			if (usage_has(&u, g->lingering[i].permit))
				g->lingering[kept++] = g->lingering[i];
		if (kept < g->n_lingering) {
			g->n_lingering = kept;
			(void)enforce_mend(f, &e);
		}
	}
	arena_free(a);
}

void enforce_waits_due(struct enforce *f)
{
	struct err e;

	if (f->timing.waits_due && f->now != NULL)
		generation_at(f, f->now);
	if (!f->timing.waits_due || (f->now != NULL && enforce_mend(f, &e) < 0))
		return; /* the kernel was busy with another change */
	f->timing.waits_due = false;
	/* Live sessions in cells that open now get the labels of these cells' permits. */
	enforce_relabel(f, NULL);
}

void enforce_waits(struct enforce *f, bool waits)
{
	f->timing.waits_due = f->timing.waits_due || f->timing.waits != waits;
	f->timing.waits = waits;
	enforce_waits_due(f);
}
