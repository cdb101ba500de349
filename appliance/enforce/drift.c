/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes of the rules that are not ours. The kernel tells every change to everybody who listens, with the port of the
 * socket that asked for it; ours is known. What would let packets pass unruled (table or base chain gone) is answered
 * before anything else is read: forwarding goes off.
 */
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "appliance/base/clock.h"
#include "appliance/base/sha256.h"
#include "appliance/enforce/enforce.h"
#include "appliance/enforce/links.h"
#include "appliance/kernel/deny_base.h"
#include "appliance/kernel/dump.h"
#include "appliance/wire/msg.h"

#define MENDS 5
#define READ_BUFFER 65536u

/* `gap_us` from hearing of it to forwarding off, or to the end of the mending; `back_us` to forwarding on again. */
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

static uint64_t us_since(struct mono t)
{
	return (clock_mono().ns - t.ns) / 1000;
}

struct heard {
	bool foreign; /* somebody else changed something */
	bool base;    /* somebody made, changed or deleted a table or chain: perhaps ours */
	bool lost;    /* the queue ran over: anything may have happened */
};

static bool about_base(int type)
{
	return type == NFT_MSG_NEWTABLE || type == NFT_MSG_DELTABLE || type == NFT_MSG_NEWCHAIN ||
	       type == NFT_MSG_DELCHAIN;
}

static void hear(const struct enforce *f, const uint8_t *p, size_t n, struct heard *h)
{
	while (n >= sizeof(struct nlmsghdr)) {
		struct nlmsghdr m;
		size_t step;

		memcpy(&m, p, sizeof(m));
		if (m.nlmsg_len < sizeof(m) || m.nlmsg_len > n)
			return;
		if (m.nlmsg_type >> 8 == NFNL_SUBSYS_NFTABLES && m.nlmsg_pid != f->net.portid) {
			h->foreign = true;
			h->base |= about_base(m.nlmsg_type & 0xff);
		}
		step = (m.nlmsg_len + 3u) & ~(size_t)3;
		if (step >= n)
			return;
		p += step;
		n -= step;
	}
}

/* Forwarding off, everything again, forwarding on. The gap is the time from hearing of it to forwarding off. */
static void reload(struct enforce *f, struct mono heard_at, uint64_t gap_us)
{
	struct sync_report s;
	struct err e = { 0 };
	int r = -EAGAIN;

	for (int attempt = 0; attempt < MENDS && r < 0; attempt++) {
		r = enforce_mend(f, &s, &e);
		if (r == 0)
			r = enforce_open(f, &e);
	}
	if (r < 0)
		(void)forwarding_set(&f->forwarding, false, NULL);
	report(f, r < 0 ? DRIFT_SHUT : DRIFT_FLUSHED, gap_us, us_since(heard_at), e.text);
}

/* A foreign table is reported when it comes, and again only when what is foreign changes. */
static void foreign_report(struct enforce *f, const struct differences *d)
{
	uint8_t digest[32] = { 0 };
	struct differences only = *d;
	char text[900];

	only.n = 0;
	only.list = arena_array(d->arena, d->n + 1, sizeof(*only.list));
	if (only.list == NULL)
		return;
	for (size_t i = 0; i < d->n; i++) {
		if (d->list[i].ours || strcmp(d->list[i].what, "foreign") != 0)
			continue;
		sha256_pair(digest, sizeof(digest), d->list[i].detail, strlen(d->list[i].detail), digest);
		only.list[only.n++] = d->list[i];
	}
	if (memcmp(digest, f->foreign_seen, sizeof(digest)) == 0)
		return;
	memcpy(f->foreign_seen, digest, sizeof(digest));
	if (only.n == 0)
		return;
	differences_text(&only, text, sizeof(text));
	report(f, DRIFT_FOREIGN, 0, 0, text);
}

/* Compares, and mends what is ours. */
static void examine(struct enforce *f, struct mono heard_at, enum drift changed)
{
	struct arena *a = arena_new(2 * DUMP_BUDGET);
	struct differences d;
	struct sync_report s;
	char text[900];
	struct err e = { 0 };
	int r;

	if (a == NULL) {
		err_set(&e, -ENOMEM, "comparison");
		report(f, DRIFT_UNMENDED, 0, 0, e.text);
		return;
	}
	r = enforce_compare(f, a, &d, &e);
	if (r < 0) {
		report(f, DRIFT_UNMENDED, 0, 0, e.text);
		goto out;
	}
	if (d.base_gone) {
		(void)forwarding_set(&f->forwarding, false, NULL);
		reload(f, heard_at, us_since(heard_at));
		goto out;
	}
	foreign_report(f, &d);
	if (d.ours == 0)
		goto out;
	differences_text(&d, text, sizeof(text));
	r = -EAGAIN;
	for (int attempt = 0; attempt < MENDS && r < 0; attempt++)
		r = enforce_mend(f, &s, &e);
	report(f, r < 0 ? DRIFT_UNMENDED : changed, us_since(heard_at), 0, text);
out:
	arena_free(a);
}

void drift_look(struct enforce *f, bool clock)
{
	if (f->now != NULL)
		examine(f, clock_mono(), clock ? DRIFT_CLOCK : DRIFT_CHANGED);
}

void drift_readable(struct enforce *f)
{
	static uint8_t buf[READ_BUFFER];
	struct mono heard_at = clock_mono();
	struct heard h = { 0 };
	bool stands = true, off = false;
	uint64_t gap_us = 0;
	struct err e;

	for (;;) {
		ssize_t n = recv(f->monitor, buf, sizeof(buf), MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == ENOBUFS) {
			h.lost = true;
			continue;
		}
		if (n <= 0)
			break;
		hear(f, buf, (size_t)n, &h);
		/* One look is enough; the rest of a long flush is read after it. */
		if ((h.base || h.lost) && !off && f->now != NULL) {
			if (deny_base_stands(&f->net, &stands, &e) < 0 || !stands) {
				(void)forwarding_set(&f->forwarding, false, NULL);
				gap_us = us_since(heard_at);
				off = true;
			}
			h.base = false;
		}
	}
	if (f->now == NULL)
		return;
	if (off)
		reload(f, heard_at, gap_us);
	else if (h.foreign || h.lost)
		examine(f, heard_at, DRIFT_CHANGED);
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
