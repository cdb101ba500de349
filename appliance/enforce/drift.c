/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes that are not ours, of rules (monitor.c hears of them), links and settings: what they were, the answer, the record.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "appliance/base/clock.h"
#include "appliance/base/sha256.h"
#include "appliance/enforce/enforce.h"
#include "appliance/enforce/links.h"
#include "appliance/kernel/deny_base.h"
#include "appliance/kernel/dump.h"
#include "appliance/wire/msg.h"

#define MENDS 5

/* `gap_us`: for how long others may have decided what passes; `back_us`: then nothing passed for so long. */
static void report(struct enforce *f, enum drift what, uint64_t gap_us, uint64_t back_us, const char *text)
{
	uint8_t body[1024];
	struct outbuf o = outbuf_of(body, sizeof(body));
	struct event ev = event_new(EVENT_DRIFT, clock_wall_ns());
	size_t n = strlen(text);

	ev.verdict = EV_DENY;
	ev.code = (uint8_t)what;
	ev.value = gap_us;
	f->drifts++;
	f->drift_wall_ns = ev.wall_ns;
	event_send(&f->events, &ev);
	out_u8(&o, (uint8_t)what);
	out_be64(&o, gap_us);
	out_be64(&o, back_us);
	out_bytes(&o, text, n < sizeof(body) - o.len ? n : sizeof(body) - o.len);
	(void)msg_send(f->control, MSG_DRIFT, 0, &o, NULL, 0);
}

/* "nft (pid 123): table deleted; chain forward missing: ...", as far as it is known. */
static void story(const struct meddling *m, const char *found, char *out, size_t size)
{
	char deeds[300];
	const char *parts[] = { deeds, found, m->trouble };
	size_t at = 0;

	meddling_text(m, deeds, sizeof(deeds));
	out[0] = '\0';
	if (m->process[0] != '\0')
		at = (size_t)snprintf(out, size, "%s (pid %u): ", m->process, m->pid);
	for (size_t i = 0, n = 0; i < 3 && at < size; i++)
		if (parts[i][0] != '\0')
			at += (size_t)snprintf(out + at, size - at, "%s%s", n++ > 0 ? "; " : "", parts[i]);
}

/*
 * Our table was touched, or could not be read, and forwarding is off: what differs is noted once, then everything is set
 * right, read back, and forwarding turned on, until nobody interfered with that.
 */
static void reopen(struct enforce *f, enum drift changed)
{
	struct meddling *m = &f->meddling;
	char text[900], found[600] = "";
	bool base_gone = false;
	struct sync_report s;
	struct err e = { 0 };
	int r = -EAGAIN;

	for (int attempt = 0; attempt < MENDS && r < 0; attempt++) {
		struct arena *a = arena_new(2 * DUMP_BUDGET);
		struct differences d = { 0 };
		uint32_t news = m->news;

		if (found[0] == '\0' && a != NULL && enforce_compare(f, a, &d, &e) == 0) {
			differences_text(&d, found, sizeof(found));
			base_gone |= d.base_gone;
		}
		arena_free(a);
		r = enforce_mend(f, &s, &e);
		if (r == 0)
			r = enforce_open(f, &e);
		monitor_glance(f);
		if (m->news != news)
			r = -EAGAIN;
	}
	if (r < 0)
		monitor_shut(f, clock_mono().ns);
	story(m, found, text, sizeof(text));
	if (r < 0)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "; %s", e.text);
	else if (base_gone)
		changed = DRIFT_FLUSHED;
	report(f, r < 0 ? DRIFT_SHUT : changed, m->gap_ns / 1000,
	       m->shut_ns == 0 ? 0 : (clock_mono().ns - m->shut_ns) / 1000, text);
}

/* Tables of others are named when they come, and again only when they change. Ours is not read for it: nobody touched it. */
static void foreign_look(struct enforce *f)
{
	struct arena *a = arena_new(DUMP_BUDGET);
	uint8_t digest[32] = { 0 };
	struct image have = { 0 };
	char found[600] = "", text[900];
	size_t at = 0;
	struct err e;
	int r = a == NULL ? err_set(&e, -ENOMEM, "tables of others") : netlink_dump_base(&f->net, a, &have, &e);

	for (size_t i = 0; r == 0 && i < have.n_foreign; i++) {
		const char *what = have.foreign[i].what;

		if (have.foreign[i].name != NULL)
			continue;
		sha256_pair(digest, sizeof(digest), what, strlen(what), digest);
		if (at < sizeof(found))
			at += (size_t)snprintf(found + at, sizeof(found) - at, "%s%s", at > 0 ? "; " : "", what);
	}
	arena_free(a);
	if (r < 0) {
		report(f, DRIFT_UNMENDED, 0, 0, e.text);
		return;
	}
	if (memcmp(digest, f->foreign_seen, sizeof(digest)) == 0)
		return;
	memcpy(f->foreign_seen, digest, sizeof(digest));
	story(&f->meddling, found, text, sizeof(text));
	if (found[0] != '\0')
		report(f, DRIFT_FOREIGN, 0, 0, text);
}

/* Compares while forwarding is on. What is not as it should be, or cannot be read, is answered like what was heard of. */
static void examine(struct enforce *f, enum drift changed)
{
	struct arena *a = arena_new(2 * DUMP_BUDGET);
	struct differences d = { 0 };
	struct sync_report s;
	uint64_t since = f->equal_ns;
	char text[900];
	struct err e = { 0 };
	int r = a == NULL ? -ENOMEM : enforce_compare(f, a, &d, &e);

	if (r == 0 && d.ours > 0 && changed == DRIFT_CLOCK) {
		/* Only the kernel's own times are wrong, by a change that is nobody's attack. */
		differences_text(&d, text, sizeof(text));
		r = enforce_mend(f, &s, &e);
		report(f, r < 0 ? DRIFT_UNMENDED : changed, 0, 0, text);
	} else if (r < 0 || d.ours > 0) {
		monitor_shut(f, since);
	}
	arena_free(a);
}

static void answer(struct enforce *f)
{
	bool adopted;
	struct err e;

	if (f->meddling.table && f->now != NULL) {
		reopen(f, DRIFT_CHANGED);
	} else if (f->meddling.table) {
		/* No policy yet: the base is all that has to stand, and forwarding stays off. */
		if (deny_base_load(&f->net, &adopted, &e) < 0)
			report(f, DRIFT_SHUT, f->meddling.gap_ns / 1000, 0, e.text);
	}
	f->meddling = (struct meddling){ 0 };
}

void drift_settle(struct enforce *f)
{
	if (f->meddling.beside && !f->meddling.table && f->now != NULL)
		foreign_look(f);
	answer(f);
}

void drift_look(struct enforce *f, bool clock)
{
	if (f->now == NULL)
		return;
	foreign_look(f);
	examine(f, clock ? DRIFT_CLOCK : DRIFT_CHANGED);
	answer(f);
}

void drift_links(struct enforce *f)
{
	struct sync_report s;
	struct err e;

	links_drain(f->links);
	if (f->now == NULL || !links_resolve(f->links, &f->now->ir, f->now->interfaces))
		return;
	/* Until this is done the old index simply matches nothing. */
	if (enforce_mend(f, &s, &e) < 0)
		report(f, DRIFT_UNMENDED, 0, 0, e.text);
	/* A new interface comes with settings of its own. */
	(void)sysctl_apply(NULL);
}

static void setting_note(const char *name, const char *have, const char *want, void *ctx)
{
	char *text = ctx;
	size_t at = strlen(text);

	if (at < 700)
		snprintf(text + at, 900 - at, "%s%s = %s (%s)", at > 0 ? "; " : "", name, have, want);
}

void drift_settings(struct enforce *f)
{
	char text[900] = "";
	uint8_t digest[32];
	struct sync_report s;
	struct err e;
	int r;

	if (f->now == NULL)
		return;
	sysctl_verify(true, setting_note, text);
	if (text[0] == '\0') {
		memset(f->settings_seen, 0, sizeof(f->settings_seen));
		return;
	}
	sha256(text, strlen(text), digest);
	/* Forwarding that is off is safe, but not what the policy wants: rules, read-back, then on. */
	if (!forwarding_is_on(&f->forwarding)) {
		r = enforce_mend(f, &s, &e);
		if (r == 0)
			r = enforce_open(f, &e);
	} else {
		r = forwarding_set(&f->forwarding, true, &e);
		if (r == 0)
			r = sysctl_apply(&e);
	}
	/* What cannot be set is tried again and again, but said once. */
	if (memcmp(digest, f->settings_seen, sizeof(digest)) == 0)
		return;
	memcpy(f->settings_seen, digest, sizeof(digest));
	if (r < 0)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "; %s", e.text);
	report(f, r < 0 ? DRIFT_UNMENDED : DRIFT_SYSCTL, 0, 0, text);
}
