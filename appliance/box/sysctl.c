/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "appliance/box/sysctl.h"
#include "appliance/wire/silence.h"

#define ROOT "/proc/sys/"
#define VALUE_MAX 32
#define AS_TEXT(n) #n
#define DIGITS(n) AS_TEXT(n)
#define SWITCH_LIMIT_NS 1000000000ull
/* ns between two tries, because the holder of the lock may need this core */
#define AGAIN_NS 200000

enum setting_kind {
	SET_ONE,  /* one file */
	SET_EACH, /* one file in every folder of conf: all, default, each interface */
};

struct setting {
	enum setting_kind kind;
	/* some kernels do not have it, or show it in the first namespace only */
	bool optional;
	const char *folder; /* SET_EACH: the conf folder */
	const char *file;
	const char *want;
};

static const struct setting settings[] = {
	{ SET_EACH, false, "net/ipv4/conf", "rp_filter", "1" },
	{ SET_EACH, false, "net/ipv4/conf", "accept_source_route", "0" },
	{ SET_EACH, false, "net/ipv4/conf", "accept_redirects", "0" },
	{ SET_EACH, false, "net/ipv4/conf", "send_redirects", "0" },
	{ SET_EACH, false, "net/ipv4/conf", "arp_ignore", "1" },
	{ SET_EACH, false, "net/ipv4/conf", "arp_announce", "2" },
	{ SET_EACH, false, "net/ipv4/conf", "proxy_arp", "0" },
	{ SET_EACH, false, "net/ipv4/conf", "route_localnet", "0" },
	/* the packet mark must not choose routes */
	{ SET_EACH, false, "net/ipv4/conf", "src_valid_mark", "0" },
	{ SET_EACH, true, "net/ipv4/conf", "mc_forwarding", "0" },
	/* No packet here is for a local socket, so looking for one before routing would be wasted
	 * work. */
	{ SET_ONE, true, NULL, "net/ipv4/ip_early_demux", "0" },
	{ SET_EACH, true, "net/ipv6/conf", "accept_ra", "0" },
	{ SET_EACH, true, "net/ipv6/conf", "autoconf", "0" },
	{ SET_EACH, true, "net/ipv6/conf", "accept_redirects", "0" },
	{ SET_EACH, true, "net/ipv6/conf", "accept_source_route", "0" },
	/* Answers only for the hosts that box.cfg puts behind another interface. For ARP no such
	 * switch is needed. */
	{ SET_EACH, true, "net/ipv6/conf", "proxy_ndp", "1" },
	{ SET_EACH, true, "net/ipv6/conf", "mc_forwarding", "0" },
	/* A reply of the box itself carries the mark of the packet that it answers. The rules let
	 * it out only to where that packet came from. */
	{ SET_ONE, false, NULL, "net/ipv4/fwmark_reflect", "1" },
	{ SET_ONE, false, NULL, "net/ipv6/fwmark_reflect", "1" },
	{ SET_ONE, false, NULL, "net/ipv4/icmp_echo_ignore_broadcasts", "1" },
	{ SET_ONE, true, NULL, "net/ipv6/icmp/echo_ignore_multicast", "1" },
	{ SET_ONE, true, NULL, "net/ipv6/icmp/echo_ignore_anycast", "1" },
	/*
	 * Fragments wait for reassembly before any rule sees them, and those of all zones share one
	 * queue (by default 4 MB; 30 s for IPv4 and 60 s for IPv6). So a burst of incomplete
	 * fragments would keep out the fragments of all other hosts for that time.
	 */
	{ SET_ONE, true, NULL, "net/ipv4/ipfrag_high_thresh", "67108864" },
	{ SET_ONE, true, NULL, "net/ipv4/ipfrag_time", "2" },
	{ SET_ONE, true, NULL, "net/netfilter/nf_conntrack_frag6_high_thresh", "67108864" },
	{ SET_ONE, true, NULL, "net/netfilter/nf_conntrack_frag6_timeout", "2" },
	/* These files exist once connection tracking is in use; the rules start it. */
	{ SET_ONE, false, NULL, "net/netfilter/nf_conntrack_tcp_loose", "0" },
	{ SET_ONE, false, NULL, "net/netfilter/nf_conntrack_tcp_be_liberal", "0" },
	{ SET_ONE, false, NULL, "net/netfilter/nf_conntrack_checksum", "1" },
	{ SET_ONE, true, NULL, "net/netfilter/nf_conntrack_helper", "0" },
	/* Bytes, packets and duration of a session, for the record of its end. */
	{ SET_ONE, true, NULL, "net/netfilter/nf_conntrack_acct", "1" },
	{ SET_ONE, true, NULL, "net/netfilter/nf_conntrack_timestamp", "1" },
	/* An unanswered session is removed soon, because it counts for its zone's share. */
	{ SET_ONE, false, NULL, "net/netfilter/nf_conntrack_udp_timeout", DIGITS(SILENCE_FIRST_S) },
	{ SET_ONE, false, NULL, "net/netfilter/nf_conntrack_udp_timeout_stream", DIGITS(SILENCE_S) },
	{ SET_ONE, false, NULL, "net/netfilter/nf_conntrack_icmp_timeout", "10" },
	{ SET_ONE, false, NULL, "net/netfilter/nf_conntrack_icmpv6_timeout", "10" },
	/*
	 * The rules let an interface open at most 12,000 sessions a second in a lane. The SYNs of
	 * two seconds fit into its share (IR_ZONE_SESSIONS), so SYNs from invented hosts lock
	 * nobody out. The kernel counts from the first SYN. A later answer is dropped, and the
	 * server is still reached: clients repeat a SYN after 1, 3 and 7 s.
	 */
	{ SET_ONE, false, NULL, "net/netfilter/nf_conntrack_tcp_timeout_syn_sent", "2" },
	/* Servers repeat their SYN-ACK after 1 and 3 s. */
	{ SET_ONE, false, NULL, "net/netfilter/nf_conntrack_tcp_timeout_syn_recv", "5" },
};

#define SETTINGS (sizeof(settings) / sizeof(settings[0]))

/*
 * Whether connection tracking reports sessions, by whether they are recorded. The kernel's default
 * would make reports here as soon as any program on the machine listens to any namespace, at 14 to
 * 19 us a session.
 */
static const struct setting reports[] = {
	[false] = { SET_ONE, true, NULL, "net/netfilter/nf_conntrack_events", "0" },
	[true] = { SET_ONE, true, NULL, "net/netfilter/nf_conntrack_events", "1" },
};

/* Reads the value without its line end. False when the file cannot be read. */
static bool value_read(const char *path, char out[VALUE_MAX])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, out, VALUE_MAX - 1);
	close(fd);
	if (n < 0)
		return false;
	out[n] = '\0';
	out[strcspn(out, "\n")] = '\0';
	return true;
}

static int value_write(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;
	int r;

	if (fd < 0)
		return -errno;
	n = write(fd, value, strlen(value));
	r = n < 0 ? -errno : 0;
	close(fd);
	return r;
}

/* Calls `each` for every file of the setting. */
static void each_file(const struct setting *s, void (*each)(const struct setting *s, const char *path, void *ctx),
		      void *ctx)
{
	char path[PATH_MAX];
	const struct dirent *entry;
	DIR *d;

	if (s->kind == SET_ONE) {
		snprintf(path, sizeof(path), ROOT "%s", s->file);
		each(s, path, ctx);
		return;
	}
	snprintf(path, sizeof(path), ROOT "%s", s->folder);
	d = opendir(path);
	if (d == NULL)
		return;
	while ((entry = readdir(d)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), ROOT "%s/%s/%s", s->folder, entry->d_name, s->file);
		each(s, path, ctx);
	}
	closedir(d);
}

struct applying {
	struct err *e;
	int code;
};

static void apply_one(const struct setting *s, const char *path, void *ctx)
{
	struct applying *a = ctx;
	char have[VALUE_MAX];
	int r;

	if (value_read(path, have) && strcmp(have, s->want) == 0)
		return;
	r = value_write(path, s->want);
	/* An interface may disappear meanwhile. */
	if (r == -ENOENT && s->kind == SET_EACH)
		return;
	if (r < 0 && !s->optional && a->code == 0)
		a->code = err_set(a->e, r, "set %s to %s", path, s->want);
}

int sysctl_apply(bool recorded, struct err *e)
{
	struct applying a = { e, 0 };

	for (size_t i = 0; i < SETTINGS; i++)
		each_file(&settings[i], apply_one, &a);
	each_file(&reports[recorded], apply_one, &a);
	return a.code;
}

struct verifying {
	sysctl_each *each;
	void *ctx;
};

/* Turns "/proc/sys/net/ipv4/conf/lan0/rp_filter" into "net.ipv4.conf.lan0.rp_filter", as sysctl(8)
 * writes it. */
static void report_wrong(const struct verifying *v, const char *path, const char *have, const char *want)
{
	char name[256];

	snprintf(name, sizeof(name), "%s", path + strlen(ROOT));
	for (char *p = name; *p != '\0'; p++)
		*p = *p == '/' ? '.' : *p == '.' ? '/' : *p;
	v->each(name, have, want, v->ctx);
}

static void verify_one(const struct setting *s, const char *path, void *ctx)
{
	const struct verifying *v = ctx;
	char have[VALUE_MAX];

	if (!value_read(path, have)) {
		if (!s->optional && s->kind == SET_ONE)
			report_wrong(v, path, "absent", s->want);
	} else if (strcmp(have, s->want) != 0) {
		report_wrong(v, path, have, s->want);
	}
}

/* Forwarding of each interface: it follows the switch for all interfaces, unless somebody has set
 * the interface's own switch. */
static const struct setting each_forwarding[] = {
	{ SET_EACH, false, "net/ipv4/conf", "forwarding", "1" },
	{ SET_EACH, true, "net/ipv6/conf", "forwarding", "1" },
};

void sysctl_verify(bool forwarding_on, bool recorded, sysctl_each *each, void *ctx)
{
	static const char *const forwards[] = { "net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding" };
	struct verifying v = { each, ctx };
	char path[PATH_MAX], have[VALUE_MAX];
	const char *want = forwarding_on ? "1" : "0";

	for (size_t i = 0; i < SETTINGS; i++)
		each_file(&settings[i], verify_one, &v);
	each_file(&reports[recorded], verify_one, &v);
	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), ROOT "%s", forwards[i]);
		if (value_read(path, have) && strcmp(have, want) != 0)
			report_wrong(&v, path, have, want);
		else if (forwarding_on)
			each_file(&each_forwarding[i], verify_one, &v);
	}
}

int forwarding_open(struct forwarding *f, struct err *e)
{
	f->v6 = -1;
	f->v4 = open(ROOT "net/ipv4/ip_forward", O_RDWR | O_CLOEXEC);
	if (f->v4 < 0)
		return err_set(e, -errno, "open net.ipv4.ip_forward");
	f->v6 = open(ROOT "net/ipv6/conf/all/forwarding", O_RDWR | O_CLOEXEC);
	if (f->v6 < 0 && errno != ENOENT)
		return err_set(e, -errno, "open net.ipv6.conf.all.forwarding");
	return 0;
}

void forwarding_close(struct forwarding *f)
{
	if (f->v4 >= 0)
		close(f->v4);
	if (f->v6 >= 0)
		close(f->v6);
	f->v4 = f->v6 = -1;
}

/* Turns forwarding on or off. For IPv6 the kernel may answer that the lock of all interfaces is
 * taken; then the write is repeated. Only the digit is written: with a line end behind it the write
 * would be short, because Debian 13's kernel (6.12) takes one byte. */
static int switch_one(int fd, bool on)
{
	uint64_t begun = clock_mono().ns;

	while (pwrite(fd, on ? "1" : "0", 1, 0) < 0) {
		if ((errno != EINTR && errno != EAGAIN) || clock_mono().ns - begun > SWITCH_LIMIT_NS)
			return -errno;
		nanosleep(&(struct timespec){ .tv_nsec = AGAIN_NS }, NULL);
	}
	return 0;
}

int forwarding_set(const struct forwarding *f, bool on, struct err *e)
{
	int r4 = switch_one(f->v4, on), r6 = f->v6 < 0 ? 0 : switch_one(f->v6, on);
	struct applying a = { e, 0 };

	if (r4 < 0)
		return err_set(e, r4, "switch forwarding of IPv4 %s", on ? "on" : "off");
	if (r6 < 0)
		return err_set(e, r6, "switch forwarding of IPv6 %s", on ? "on" : "off");
	for (size_t i = 0; on && i < 2; i++)
		each_file(&each_forwarding[i], apply_one, &a);
	return a.code;
}

static bool is_on(int fd)
{
	char c = '0';

	return fd >= 0 && pread(fd, &c, 1, 0) == 1 && c != '0';
}

bool forwarding_is_on(const struct forwarding *f)
{
	return is_on(f->v4) || is_on(f->v6);
}

/* Sizes of the neighbour table: the kernel asks for an unknown address for three seconds, and
 * removes old entries above the lower threshold. */
static const struct {
	const char *file;
	long least;
} capacities[] = {
	{ "ipv4/neigh/default/gc_thresh3", 65536 },  { "ipv4/neigh/default/gc_thresh2", 32768 },
	{ "ipv6/neigh/default/gc_thresh3", 65536 },  { "ipv6/neigh/default/gc_thresh2", 32768 },
	{ "netfilter/nf_conntrack_buckets", 65536 }, { "netfilter/nf_conntrack_max", 262144 },
};

static void at_least(const char *path, long least)
{
	char text[32] = "";
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return;
	if (read(fd, text, sizeof(text) - 1) > 0 && strtol(text, NULL, 10) < least) {
		snprintf(text, sizeof(text), "%ld\n", least);
		/* if this is refused, the table keeps its size */
		(void)!pwrite(fd, text, strlen(text), 0);
	}
	close(fd);
}

void capacity_raise(const char *below)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(capacities) / sizeof(capacities[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", below, capacities[i].file);
		at_least(path, capacities[i].least);
	}
}

#define FIELD "IPReversePathFilter"
#define GROUP "TcpExt:"
#define TEXT_MAX 32768u

/* Lines come in pairs: one of names, one of their numbers. */
uint64_t reverse_path_in(const char *text)
{
	const char *names = strstr(text, GROUP), *end, *at, *numbers;
	size_t n = 0;

	end = names == NULL ? NULL : strchr(names, '\n');
	at = names == NULL ? NULL : strstr(names, " " FIELD);
	if (end == NULL || at == NULL || at > end || strncmp(end + 1, GROUP, strlen(GROUP)) != 0)
		return 0;
	for (const char *p = names; p <= at; p++)
		n += *p == ' ';
	numbers = end + 1;
	end = strchr(numbers, '\n');
	for (; n > 0 && numbers != NULL; n--)
		numbers = strchr(numbers + 1, ' ');
	return numbers == NULL || (end != NULL && numbers > end) ? 0 : strtoull(numbers, NULL, 10);
}

int reverse_path_open(void)
{
	return open("/proc/thread-self/net/netstat", O_RDONLY | O_CLOEXEC);
}

uint64_t reverse_path_refused(int fd)
{
	char *text = malloc(TEXT_MAX);
	size_t have = 0;
	ssize_t n = 1;
	uint64_t refused = 0;

	if (text == NULL)
		return 0;
	while (fd >= 0 && have < TEXT_MAX - 1u && n > 0) {
		n = pread(fd, text + have, TEXT_MAX - 1u - have, (off_t)have);
		have += n > 0 ? (size_t)n : 0;
	}
	text[have] = '\0';
	refused = reverse_path_in(text);
	free(text);
	return refused;
}
