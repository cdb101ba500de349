/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Notices changes of the rules by other programs. The kernel reports every change to all listeners,
 * with the netlink port of the sender, and we know our own port. A change of our table may have let
 * traffic through, so forwarding is turned off at the first report, before anything is read. What
 * was changed is found out afterwards, while nothing passes.
 *
 * The kernel does not say when the change happened. If its report woke this role from poll(), the
 * change is as old as the time that the woken thread waited for a processor. Otherwise the change
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
#include "appliance/enforce/sockets.h"

/* the same number in all messages about tables, chains, rules, sets and objects */
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
	ssize_t n = f->delay < 0 ? -1 : pread(f->delay, text, sizeof(text) - 1, 0);
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
	f->sleep.counted = waited(f, &f->sleep.waited_ns);
	f->sleep.sleeps = sleeps();
}

void monitor_woken(struct enforce *f)
{
	uint64_t now = clock_mono().ns, waited_ns;

	f->change_since_ns = f->monitor_empty_ns;
	/* One sleep and one wake-up: the thread was not interrupted meanwhile. */
	if (!f->sleep.counted || sleeps() != f->sleep.sleeps + 1 || !waited(f, &waited_ns))
		return;
	now -= waited_ns - f->sleep.waited_ns;
	if (now > f->change_since_ns)
		f->change_since_ns = now;
}

/* ---- the kind of a change -------------------------------------------------------------------- */

static const struct {
	uint8_t type;
	const char *deed;
} deeds[] = {
#define DEED(type, en, ja) { type, en },
#include "appliance/wire/deed.def"
};
_Static_assert(sizeof(deeds) / sizeof(deeds[0]) == DEEDS, "one count for each");

static unsigned deed_of(int type)
{
	unsigned d = 0;

	while (d < DEEDS && deeds[d].type != type)
		d++;
	return d;
}

void meddling_text(const struct meddling *m, char *out, size_t size)
{
	size_t at = 0;

	out[0] = '\0';
	for (unsigned d = 0; d < DEEDS && at < size; d++) {
		if (m->deeds[d].n == 0)
			continue;
		at += (size_t)snprintf(out + at, size - at, "%s%s%s%s", at > 0 ? ", " : "", deeds[d].deed,
				       m->deeds[d].first[0] != '\0' ? ": " : "", m->deeds[d].first);
		if (m->deeds[d].n > 1 && at < size)
			at += (size_t)snprintf(out + at, size - at, " and %u more", m->deeds[d].n - 1);
		/* What was in a deleted table went with it, and is not listed. */
		if (deeds[d].type == NFT_MSG_DELTABLE)
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
 * change to our table has precedence over that of a change to another table. Otherwise the
 * supervisor could be named, which mends its own tables at the same time.
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

/* Turns forwarding off and adds up how long the table may have been open. */
void monitor_shut(struct enforce *f, uint64_t since_ns)
{
	struct meddling *m = &f->meddling;
	struct err e;

	m->table = true;
	m->news++;
	/* The supervisor may have turned forwarding off first. Then it is unknown how long it was
	 * on. */
	if (!forwarding_is_on(&f->forwarding) && (f->now == NULL || f->shut || m->shut_ns != 0))
		return;
	if (forwarding_set(&f->forwarding, false, &e) < 0)
		snprintf(m->trouble, sizeof(m->trouble), "%.150s", e.text);
	m->shut_ns = clock_mono().ns;
	m->gap_ns += m->shut_ns - since_ns;
}

/* Handles one message of a transaction. */
static void hear(void *ctx, const struct nlmsghdr *report)
{
	struct enforce *f = ctx;
	struct meddling *m = &f->meddling;
	int type = report != NULL ? report->nlmsg_type & 0xff : 0;
	unsigned deed = deed_of(type);

	/* The kernel dropped a report: it may have been about anything. */
	if (report == NULL) {
		m->fresh = false;
		monitor_shut(f, f->change_since_ns);
		return;
	}
	if (report->nlmsg_pid == f->net.portid)
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
		monitor_shut(f, f->change_since_ns);
	}
	if (m->deeds[deed].n++ > 0 || type == NFT_MSG_NEWTABLE || type == NFT_MSG_DELTABLE)
		return;
	text_of(report, type == NFT_MSG_NEWCHAIN || type == NFT_MSG_DELCHAIN ? NFTA_CHAIN_NAME : ATTR_NAME,
		m->deeds[deed].first, sizeof(m->deeds[deed].first));
}

void monitor_glance(struct enforce *f)
{
	/* This call has read no report about our table yet, whatever earlier calls have read. */
	f->meddling.fresh = true;
	f->monitor_empty_ns = f->change_since_ns = enforce_socket_reports(f->monitor, hear, f);
}
