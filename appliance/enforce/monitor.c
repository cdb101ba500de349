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
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <netinet/in.h> /* before linux/, whose headers then leave out their own copies */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "appliance/enforce/enforce.h"

#define READ_BUFFER 65536u

/* Attribute numbers that are the same in all messages about tables, chains, rules, sets and
 * objects. */
enum { ATTR_TABLE = 1, ATTR_NAME = 2 };

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

/* The attribute `type` of a message's body. */
static bool attribute(const uint8_t *p, size_t n, uint16_t type, const uint8_t **ret, size_t *ret_n)
{
	size_t at = sizeof(struct nfgenmsg);

	while (at <= n && n - at >= sizeof(struct nlattr)) {
		struct nlattr a;

		memcpy(&a, p + at, sizeof(a));
		if (a.nla_len < sizeof(a) || a.nla_len > n - at)
			return false;
		if ((a.nla_type & NLA_TYPE_MASK) == type) {
			*ret = p + at + sizeof(a);
			*ret_n = a.nla_len - sizeof(a);
			return true;
		}
		at += (a.nla_len + 3u) & ~(size_t)3;
	}
	return false;
}

static void text_of(const uint8_t *p, size_t n, uint16_t type, char *out, size_t size)
{
	const uint8_t *v;
	size_t len;

	out[0] = '\0';
	if (attribute(p, n, type, &v, &len))
		snprintf(out, size, "%.*s", (int)strnlen((const char *)v, len), (const char *)v);
}

/*
 * Notes the author: the process that the kernel names at the end of a transaction. The author of a
 * change to our table has precedence over that of a change to another table. Otherwise the
 * supervisor could be named, which mends its own tables at the same time.
 */
static void culprit(struct meddling *m, const uint8_t *p, size_t n)
{
	const uint8_t *v;
	uint32_t pid;
	size_t len;

	if (!m->touched && m->process[0] != '\0')
		return;
	m->touched = false;
	if (attribute(p, n, NFTA_GEN_PROC_PID, &v, &len) && len == sizeof(pid)) {
		memcpy(&pid, v, sizeof(pid));
		m->pid = ntohl(pid);
	}
	text_of(p, n, NFTA_GEN_PROC_NAME, m->process, sizeof(m->process));
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

/* Handles one message of another process's transaction. */
static void one(struct enforce *f, int type, const uint8_t *p, size_t n)
{
	struct meddling *m = &f->meddling;
	struct nfgenmsg g = { 0 };
	unsigned deed = deed_of(type);
	char table[64];

	if (type == NFT_MSG_NEWGEN) {
		culprit(m, p, n);
		return;
	}
	if (deed == DEEDS || n < sizeof(g))
		return;
	memcpy(&g, p, sizeof(g));
	text_of(p, n, ATTR_TABLE, table, sizeof(table));
	if (g.nfgen_family != NFPROTO_INET || strcmp(table, TABLE_NAME) != 0) {
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
	text_of(p, n, type == NFT_MSG_NEWCHAIN || type == NFT_MSG_DELCHAIN ? NFTA_CHAIN_NAME : ATTR_NAME,
		m->deeds[deed].first, sizeof(m->deeds[deed].first));
}

static void hear(struct enforce *f, const uint8_t *p, size_t n)
{
	while (n >= sizeof(struct nlmsghdr)) {
		struct nlmsghdr m;
		size_t step;

		memcpy(&m, p, sizeof(m));
		if (m.nlmsg_len < sizeof(m) || m.nlmsg_len > n)
			return;
		if (m.nlmsg_type >> 8 == NFNL_SUBSYS_NFTABLES && m.nlmsg_pid != f->net.portid)
			one(f, m.nlmsg_type & 0xff, p + sizeof(m), m.nlmsg_len - sizeof(m));
		step = (m.nlmsg_len + 3u) & ~(size_t)3;
		if (step >= n)
			return;
		p += step;
		n -= step;
	}
}

void monitor_glance(struct enforce *f)
{
	static uint8_t buf[READ_BUFFER];
	uint64_t asked;

	/* This call has read no report about our table yet, whatever earlier calls have read. */
	f->meddling.fresh = true;
	for (;;) {
		ssize_t n;

		asked = clock_mono().ns;
		n = recv(f->monitor, buf, sizeof(buf), MSG_DONTWAIT | MSG_TRUNC);
		if (n < 0 && errno == EINTR)
			continue;
		/* The kernel dropped a report: it may have been about anything. */
		if ((n < 0 && errno == ENOBUFS) || n > (ssize_t)sizeof(buf)) {
			f->meddling.fresh = false;
			monitor_shut(f, f->change_since_ns);
			continue;
		}
		if (n <= 0)
			break;
		hear(f, buf, (size_t)n);
	}
	f->monitor_empty_ns = f->change_since_ns = asked;
}
