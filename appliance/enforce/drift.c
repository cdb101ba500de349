/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes by others to rules (monitor.c hears of them), links and settings: finds out what they
 * were, and mends them.
 */
#include <errno.h>
#include <string.h>

#include "appliance/base/clock.h"
#include "appliance/base/sha256.h"
#include "appliance/enforce/apply.h"
#include "appliance/enforce/drift.h"
#include "appliance/enforce/enforce.h"
#include "appliance/enforce/generation.h"
#include "appliance/enforce/links.h"
#include "appliance/enforce/monitor.h"
#include "appliance/enforce/verify.h"
#include "appliance/enforce/work.h"
#include "appliance/kernel/deny_base.h"
#include "appliance/kernel/dump.h"

#define MENDS 5
/* ns: the author's name normally comes within the same system call; a record waits for it so
 * long. */
#define AUTHOR_NS 100000000u

/*
 * To be called when our table was changed or could not be read, and forwarding is off. Records the
 * difference once. Then mends the table, reads it back and turns forwarding on; repeats this as
 * long as others interfere.
 */
static void reopen(struct enforce *f, enum drift changed)
{
	struct meddling *m = &f->watched.meddling;
	struct drift_record found = { 0 };
	bool table_gone = false;
	struct err e = { 0 };
	int r = -EAGAIN;

	for (int attempt = 0; attempt < MENDS && r < 0; attempt++) {
		struct arena *a = arena_new(2 * DUMP_BUDGET);
		struct differences d = { 0 };
		uint32_t news = m->news;

		if (found.n == 0 && a != NULL && enforce_compare(f, a, &d, &e) == 0) {
			record_differences(&found, &d);
			table_gone |= d.table_gone;
		}
		arena_free(a);
		r = enforce_mend(f, &e);
		if (r == 0)
			r = enforce_open(f, &e);
		monitor_glance(f);
		if (m->news != news)
			r = -EAGAIN;
	}
	if (r < 0)
		monitor_shut(f, clock_mono().ns);
	f->watched.shut = r < 0;
	if (r == 0 && table_gone)
		changed = DRIFT_FLUSHED;
	record_send(f, &found, r < 0 ? DRIFT_SHUT : changed, m->gap_ns / 1000,
		    m->shut_ns == 0 ? 0 : (clock_mono().ns - m->shut_ns) / 1000, r < 0 ? e.text : m->trouble);
}

/* Reports foreign tables that appeared or changed. Our own table is not read, because nobody
 * touched it. */
static void foreign_look(struct enforce *f)
{
	struct arena *a = arena_new(DUMP_BUDGET);
	uint8_t digest[32] = { 0 };
	struct image have = { 0 };
	struct drift_record found = { 0 };
	struct err e;
	int r = a == NULL ? err_set(&e, -ENOMEM, "tables of others") : netlink_dump_base(&f->kernel.net, a, &have, &e);

	for (size_t i = 0; r == 0 && i < have.n_foreign; i++) {
		const char *what = have.foreign[i].what;

		if (have.foreign[i].name != NULL)
			continue;
		sha256_pair(digest, sizeof(digest), what, strlen(what), digest);
		record_add(&found, what, "", "");
	}
	arena_free(a);
	if (r < 0) {
		record_send(f, &found, DRIFT_UNMENDED, 0, 0, e.text);
		return;
	}
	if (memcmp(digest, f->watched.foreign_seen, sizeof(digest)) == 0)
		return;
	memcpy(f->watched.foreign_seen, digest, sizeof(digest));
	if (found.n > 0)
		record_send(f, &found, DRIFT_FOREIGN, 0, 0, "");
}

/*
 * Smaller steps of the clock than CLOCK_STEP_NS are not reported. The clock may have drifted by
 * almost one such step when an end was written, and by another one until now. So the end in the
 * kernel and the expected end differ by less than two steps.
 */
_Static_assert(2 * CLOCK_STEP_NS <= TIME_SLACK * 1000000000ull, "steps that are not told are no drift");

/*
 * Compares the rules while forwarding is on. A difference, or a failure to read, is handled like a
 * change by others that the monitor has reported. After the clock was set, ends are compared
 * without TIME_SLACK, because errors that it hides would add up with the next step of the clock. If
 * the comparison makes way for a person's order, it is repeated at once.
 */
static void examine(struct enforce *f)
{
	struct arena *a = arena_new(2 * DUMP_BUDGET);
	struct differences d = { 0 };
	uint64_t since = f->watched.equal_ns;
	struct drift_record found = { 0 };
	struct err e = { 0 };
	int r = a == NULL ? -ENOMEM : !stop_begin(f, 0, true) ? -ECANCELED : enforce_compare(f, a, &d, &e);

	stop_end(&f->hearing, false);
	if (r == -ECANCELED) {
		f->watched.compare_due = true;
		arena_free(a);
		return;
	}
	if (r == 0 && d.ours > 0 && f->timing.clock_due) {
		/* The clock was set, so expiry times differ. This is not treated as a change by
		 * others. */
		record_differences(&found, &d);
		r = enforce_mend(f, &e);
		f->timing.clock_due = r < 0;
		record_send(f, &found, r < 0 ? DRIFT_UNMENDED : DRIFT_CLOCK, 0, 0, r < 0 ? e.text : "");
	} else if (r < 0 || d.ours > 0) {
		monitor_shut(f, since);
	} else {
		f->timing.clock_due = false;
	}
	arena_free(a);
}

/*
 * Whether a record still has to wait for the author's name. The kernel reports a change first and
 * its author afterwards, and this role may run in between; on a single processor it always does.
 * Only records about foreign tables wait, and poll() goes on meanwhile. A change of our own table
 * is answered at once.
 */
static bool author_awaited(const struct meddling *m)
{
	return m->beside && !m->table && m->process[0] == '\0' && clock_mono().ns < m->beside_ns + AUTHOR_NS;
}

static void answer_meddling(struct enforce *f)
{
	struct drift_record nothing = { 0 };
	struct meddling *m = &f->watched.meddling, left = { 0 };
	bool adopted;
	struct err e = { 0 };
	int r;

	if (author_awaited(m))
		return;
	if (m->table && f->now != NULL) {
		reopen(f, DRIFT_CHANGED);
	} else if (m->table) {
		/* Without a policy, only the base table has to be there, and forwarding stays
		 * off. */
		r = deny_base_load(&f->kernel.net, &adopted, &e);
		record_send(f, &nothing, r < 0 ? DRIFT_SHUT : DRIFT_FLUSHED, m->gap_ns / 1000, 0, e.text);
	}
	/* Changes of foreign tables are reported next, with the same author. */
	if (m->table && m->beside) {
		left.beside = true;
		left.pid = m->pid;
		memcpy(left.process, m->process, sizeof(left.process));
	}
	*m = left;
}

void drift_settle(struct enforce *f)
{
	const struct meddling *m = &f->watched.meddling;

	if (m->beside && !m->table && f->now != NULL && !author_awaited(m))
		foreign_look(f);
	answer_meddling(f);
}

void drift_look(struct enforce *f)
{
	if (f->now == NULL) {
		f->timing.clock_due = false;
		return;
	}
	if (!author_awaited(&f->watched.meddling))
		foreign_look(f);
	/* our own failure is mended first, because it would be reported as a change by others */
	enforce_mend_due(f);
	examine(f);
	answer_meddling(f);
}

void drift_links(struct enforce *f)
{
	struct drift_record nothing = { 0 };
	struct err e;

	links_drain(f->kernel.links);
	if (f->now == NULL || !links_resolve(f->kernel.links, f->now))
		return;
	generation_follow(f->now);
	/* If this fails, the old device index just matches no packet until it succeeds. */
	if (enforce_mend(f, &e) < 0)
		record_send(f, &nothing, DRIFT_UNMENDED, 0, 0, e.text);
	/* A new interface comes with default settings. */
	(void)sysctl_apply(f->now->ir.record_passed, NULL);
}

static void setting_note(const char *name, const char *have, const char *want, void *ctx)
{
	record_add(ctx, name, want, have);
}

/* Whether `found` has not been reported yet. A setting that cannot be set is tried again and again,
 * but reported only once. */
static bool settings_news(struct watched *watched, const struct drift_record *found)
{
	uint8_t digest[32] = { 0 };
	bool news;

	for (unsigned i = 0; i < found->n; i++)
		sha256_pair(digest, sizeof(digest), found->list[i].text, sizeof(found->list[i].text), digest);
	news = memcmp(digest, watched->settings_seen, sizeof(digest)) != 0;
	memcpy(watched->settings_seen, digest, sizeof(digest));
	return news;
}

void drift_settings(struct enforce *f)
{
	struct drift_record found = { 0 };
	bool shut = f->watched.shut;
	struct err e = { 0 };
	int r;

	if (f->now == NULL)
		return;
	sysctl_verify(true, f->now->ir.record_passed, setting_note, &found);
	if (found.n == 0) {
		memset(f->watched.settings_seen, 0, sizeof(f->watched.settings_seen));
		return;
	}
	/* If forwarding is off, the rules are mended and read back before it is turned on. */
	if (!forwarding_is_on(&f->kernel.forwarding)) {
		r = enforce_mend(f, &e);
		if (r == 0)
			r = enforce_open(f, &e);
	} else {
		r = forwarding_set(&f->kernel.forwarding, true, &e);
		if (r == 0)
			r = sysctl_apply(f->now->ir.record_passed, &e);
	}
	/* If this role turned forwarding off, that was reported at the time. */
	if (!shut && settings_news(&f->watched, &found))
		record_send(f, &found, r < 0 ? DRIFT_UNMENDED : DRIFT_SYSCTL, 0, 0, e.text);
}
