/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Notices changes of the rules by other programs. The kernel reports every change to all listeners,
 * with the netlink port of the sender, and we know our own port. A change of our table may have let
 * traffic through, so forwarding is turned off at the first report, before anything is read. What
 * was changed is found out afterwards, while nothing passes (drift.c), and recorded here.
 *
 * The kernel does not say when the change happened. If its report woke this role from poll(), the
 * change happened when the woken thread began to wait for a processor. Otherwise the change
 * happened at the earliest when the monitor was last seen empty.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <netinet/in.h> /* before linux/, whose headers then leave out their own copies */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "appliance/enforce/enforce.h"
#include "appliance/enforce/monitor.h"
#include "appliance/enforce/sockets.h"
#include "appliance/enforce/verify.h"
#include "appliance/wire/deed.def"
#include "appliance/wire/msg.h"

/* this attribute has the same number in all messages about tables, chains, rules, sets and
 * objects */
#define ATTR_NAME 2u

/* ---- the age of a change --------------------------------------------------------------------- */

int monitor_open_delay(void)
{
	return open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
}

/* Nanoseconds that this thread has waited for a processor while it could have run; false where the
 * kernel does not count them. */
static bool waited(const struct enforce *f, uint64_t *ret)
{
	char text[80];
	ssize_t n = f->watched.delay < 0 ? -1 : pread(f->watched.delay, text, sizeof(text) - 1, 0);
	const char *second;

	if (n <= 0)
		return false;
	text[n] = '\0';
	second = strchr(text, ' ');
	if (second == NULL)
		return false;
	*ret = strtoull(second, NULL, 10);
	return true;
}

static uint64_t sleeps(void)
{
	struct rusage u = { 0 };

	return getrusage(RUSAGE_THREAD, &u) < 0 ? 0 : (uint64_t)u.ru_nvcsw;
}

void monitor_sleep(struct enforce *f)
{
	f->watched.sleep.counted = waited(f, &f->watched.sleep.waited_ns);
	f->watched.sleep.sleeps = sleeps();
}

void monitor_woken(struct enforce *f)
{
	uint64_t now = clock_mono().ns, waited_ns;

	f->watched.change_since_ns = f->watched.monitor_empty_ns;
	/* There was exactly one sleep and one wake-up, so the thread was not interrupted
	 * meanwhile. */
	if (!f->watched.sleep.counted || sleeps() != f->watched.sleep.sleeps + 1 || !waited(f, &waited_ns))
		return;
	now -= waited_ns - f->watched.sleep.waited_ns;
	if (now > f->watched.change_since_ns)
		f->watched.change_since_ns = now;
}

/* ---- the kind of a change -------------------------------------------------------------------- */

static const struct {
	uint8_t type;
	const char *deed;
} kinds[] = {
#define DEED(type, en, ja) { type, en },
#include "appliance/wire/deed.def"
};
_Static_assert(sizeof(kinds) / sizeof(kinds[0]) == DEEDS, "one count for each");

static unsigned deed_of(int type)
{
	unsigned d = 0;

	while (d < DEEDS && kinds[d].type != type)
		d++;
	return d;
}

/* "rule added: forward, element deleted: live and 3 more" */
static void meddling_text(const struct meddling *m, char *out, size_t size)
{
	size_t at = 0;

	out[0] = '\0';
	for (unsigned d = 0; d < DEEDS && at < size; d++) {
		if (m->deeds[d].n == 0)
			continue;
		at += (size_t)snprintf(out + at, size - at, "%s%s%s%s", at > 0 ? ", " : "", kinds[d].deed,
				       m->deeds[d].first[0] != '\0' ? ": " : "", m->deeds[d].first);
		if (m->deeds[d].n > 1 && at < size)
			at += (size_t)snprintf(out + at, size - at, " and %u more", m->deeds[d].n - 1);
		/* If a table was deleted, the objects that it had are not listed. */
		if (kinds[d].type == NFT_MSG_DELTABLE)
			return;
	}
}

static void text_of(const struct nlmsghdr *m, uint16_t type, char *out, size_t size)
{
	const struct nlattr *a = enforce_socket_attribute(m, type);
	const char *text = a != NULL ? mnl_attr_get_payload(a) : "";

	snprintf(out, size, "%.*s", a != NULL ? (int)strnlen(text, mnl_attr_get_payload_len(a)) : 0, text);
}

/*
 * Notes the author: the process that the kernel names at the end of a transaction. The author of a
 * change to our table takes precedence over the author of a change to another table, because that
 * may be the supervisor, which mends its own tables at the same time.
 */
static void culprit(struct meddling *m, const struct nlmsghdr *gen)
{
	const struct nlattr *pid = enforce_socket_attribute(gen, NFTA_GEN_PROC_PID);

	if (!m->touched && m->process[0] != '\0')
		return;
	m->touched = false;
	if (pid != NULL && mnl_attr_get_payload_len(pid) == sizeof(m->pid))
		m->pid = ntohl(mnl_attr_get_u32(pid));
	text_of(gen, NFTA_GEN_PROC_NAME, m->process, sizeof(m->process));
}

/* Turns forwarding off, and notes how long packets may have passed by a changed table. */
void monitor_shut(struct enforce *f, uint64_t since_ns)
{
	struct meddling *m = &f->watched.meddling;
	struct err e;

	m->table = true;
	m->news++;
	/* If the supervisor turned forwarding off first, it is unknown how long forwarding was
	 * on. */
	if (!forwarding_is_on(&f->kernel.forwarding) && (f->now == NULL || f->watched.shut || m->shut_ns != 0))
		return;
	if (forwarding_set(&f->kernel.forwarding, false, &e) < 0)
		snprintf(m->trouble, sizeof(m->trouble), "%.150s", e.text);
	m->shut_ns = clock_mono().ns;
	m->gap_ns += m->shut_ns - since_ns;
}

/* Handles one message of a transaction. */
static void hear_change(void *ctx, const struct nlmsghdr *report)
{
	struct enforce *f = ctx;
	struct meddling *m = &f->watched.meddling;
	int type = report != NULL ? report->nlmsg_type & 0xff : 0;
	unsigned deed = deed_of(type);

	/* The kernel dropped reports, which may have been about anything. */
	if (report == NULL) {
		m->fresh = false;
		monitor_shut(f, f->watched.change_since_ns);
		return;
	}
	if (report->nlmsg_pid == f->kernel.net.portid)
		return;
	if (type == NFT_MSG_NEWGEN) {
		culprit(m, report);
		return;
	}
	if (deed == DEEDS || mnl_nlmsg_get_payload_len(report) < sizeof(struct nfgenmsg))
		return;
	if (!enforce_socket_ours(report)) {
		if (!m->beside)
			m->beside_ns = clock_mono().ns;
		m->beside = true;
		return;
	}
	m->touched = true;
	if (m->fresh) {
		m->fresh = false;
		monitor_shut(f, f->watched.change_since_ns);
	}
	if (m->deeds[deed].n++ > 0 || type == NFT_MSG_NEWTABLE || type == NFT_MSG_DELTABLE)
		return;
	text_of(report, type == NFT_MSG_NEWCHAIN || type == NFT_MSG_DELCHAIN ? NFTA_CHAIN_NAME : ATTR_NAME,
		m->deeds[deed].first, sizeof(m->deeds[deed].first));
}

void monitor_glance(struct enforce *f)
{
	/* This call has read no report about our table yet, whatever earlier calls have read. */
	f->watched.meddling.fresh = true;
	f->watched.monitor_empty_ns = f->watched.change_since_ns =
		enforce_socket_reports(f->watched.monitor, hear_change, f);
}

/* ---- records --------------------------------------------------------------------------------- */

void record_add(struct drift_record *r, const char *object, const char *before, const char *after)
{
	struct event *ev = &r->list[r->n];

	if (r->n == RECORD_EVENTS) {
		r->more++;
		return;
	}
	*ev = event_new(EVENT_DRIFT, 0);
	event_say(ev, EVENT_OBJECT, object);
	event_say(ev, EVENT_BEFORE, before);
	event_say(ev, EVENT_AFTER, after);
	r->n++;
}

static void add_difference(struct drift_record *r, const struct difference *x, const char *when)
{
	bool gone = strcmp(x->what, "missing") == 0, whole = strcmp(x->where, "table") == 0;
	char object[160];

	snprintf(object, sizeof(object), "table inet %s%s%s%s%s%s", TABLE_NAME, whole ? "" : ", ",
		 whole ? "" : x->where, x->detail[0] == '\0' ? ": " : "", x->detail[0] == '\0' ? x->what : "", when);
	record_add(r, object, gone ? x->detail : x->want != NULL ? x->want : "", gone ? "" : x->detail);
}

void record_differences(struct drift_record *r, const struct differences *d)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->list[i].ours)
			add_difference(r, &d->list[i], "");
}

void record_unwatched(struct drift_record *r, const struct differences *d)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->list[i].ours && strncmp(d->list[i].where, "set ", 4) != 0)
			add_difference(r, &d->list[i], " (" DEED_FOUND ")");
}

/* "nft (pid 123): table deleted; table inet sekisho, chain forward: ... -> ...; ..." */
static void meddling_line(const struct drift_record *r, const char *by, const char *deeds, const char *trouble,
			  char *out, size_t size)
{
	size_t at = (size_t)snprintf(out, size, "%s%s%s", by, by[0] != '\0' ? ": " : "", deeds);
	bool begun = deeds[0] != '\0';

	for (unsigned i = 0; i < r->n && at < size; i++) {
		const struct event *ev = &r->list[i];
		bool change = ev->text[EVENT_BEFORE][0] != '\0' || ev->text[EVENT_AFTER][0] != '\0';

		at += (size_t)snprintf(out + at, size - at, "%s%s%s%.150s%s%.150s", begun ? "; " : "",
				       ev->text[EVENT_OBJECT], change ? ": " : "", ev->text[EVENT_BEFORE],
				       change ? " -> " : "", ev->text[EVENT_AFTER]);
		begun = true;
	}
	if (r->more > 0 && at < size)
		at += (size_t)snprintf(out + at, size - at, "; +%zu", r->more);
	if (trouble[0] != '\0' && at < size)
		snprintf(out + at, size - at, "%s%s", begun ? "; " : "", trouble);
}

void record_send(struct enforce *f, struct drift_record *r, enum drift what, uint64_t gap_us, uint64_t back_us,
		 const char *trouble)
{
	struct msg_body m = { MSG_DRIFT, .drift = { .what = (uint8_t)what, .gap_us = gap_us, .back_us = back_us } };
	char deeds[EVENT_TEXT], by[EVENT_TEXT] = "", text[900];

	if (f->watched.meddling.process[0] != '\0')
		snprintf(by, sizeof(by), "%s (pid %u)", f->watched.meddling.process, f->watched.meddling.pid);
	meddling_text(&f->watched.meddling, deeds, sizeof(deeds));
	/* There is no difference to list, because the change was undone before anybody looked, or
	 * everything was deleted. So only what the kernel reported can be told. */
	if (r->n == 0 || what == DRIFT_FLUSHED) {
		char object[EVENT_TEXT + 32];

		r->n = 0;
		r->more = 0;
		snprintf(object, sizeof(object), "table inet %s: %s", TABLE_NAME, deeds[0] != '\0' ? deeds : trouble);
		record_add(r, object, "", "");
		deeds[0] = '\0';
	}
	meddling_line(r, by, deeds, trouble, text, sizeof(text));
	f->watched.drifts++;
	f->watched.drift_wall_ns = clock_wall_ns();
	for (unsigned i = 0; i < r->n; i++) {
		struct event *ev = &r->list[i];

		ev->wall_ns = f->watched.drift_wall_ns;
		ev->verdict = EV_DENY;
		ev->code = (uint8_t)what;
		ev->value = gap_us;
		ev->count = i + 1 == r->n ? r->more + 1 : 1;
		event_say(ev, EVENT_BY, by);
		event_send(&f->roles.events, ev);
	}
	m.drift.text = text;
	(void)msg_send(f->roles.control, 0, &m, NULL, 0);
	if (what == DRIFT_SHUT && f->watched.shut_told_ns == 0)
		f->watched.shut_told_ns = clock_mono().ns;
}

void record_opened(struct enforce *f)
{
	struct event ev = event_new(EVENT_DRIFT, clock_wall_ns());
	char span[40];

	if (f->watched.shut_told_ns == 0)
		return;
	snprintf(span, sizeof(span), "%.1f s", (double)(clock_mono().ns - f->watched.shut_told_ns) / 1e9);
	f->watched.shut_told_ns = 0;
	ev.code = DRIFT_OPENED;
	ev.count = 1;
	event_say(&ev, EVENT_OBJECT, span);
	event_send(&f->roles.events, &ev);
}
