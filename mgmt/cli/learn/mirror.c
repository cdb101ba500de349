/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/learn/learn.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mgmt/cli/box/request.h"
#include "mgmt/cli/words/render.h"
#include "policy/compile/compile.h"

#define BOX_POLICY CLI_BOX_FOLDER "/site.cfg"
#define ANSWER_S 5u
#define LOCKS "/run/sekisho-mirror" /* only root can open this file, so only root can hold a lock */

static const char *const losses[MIRROR_LOSSES] = { "rx_missed_errors", "rx_fifo_errors", "rx_over_errors" };

/* Settings that keep the machine from processing what it hears: no IPv6, and IPv4 only from
 * addresses with a route back by this interface, of which there are none. */
static const struct {
	const char *path, *silent;
} settings[] = {
	{ "/proc/sys/net/ipv6/conf/%s/disable_ipv6", "1" },
	{ "/proc/sys/net/ipv4/conf/%s/rp_filter", "1" },
	{ "/proc/sys/net/ipv4/conf/%s/arp_ignore", "8" },
	{ "/proc/sys/net/ipv4/conf/%s/forwarding", "0" },
};

#define SETTINGS (sizeof(settings) / sizeof(settings[0]))
_Static_assert(SETTINGS == sizeof(((struct mirror *)NULL)->settings) / sizeof(((struct mirror *)NULL)->settings[0]),
	       "");

/* ---- files and flags ------------------------------------------------------------------------- */

static bool read_file(const char *path, char *out, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, out, size - 1) : -1;

	if (fd >= 0)
		close(fd);
	out[n > 0 ? n : 0] = '\0';
	out[strcspn(out, "\n")] = '\0';
	return n > 0;
}

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return ok;
}

static void setting_path(size_t i, const char *device, char out[128])
{
	const char *format = settings[i].path, *at = strstr(format, "%s");

	snprintf(out, 128, "%.*s%s%s", (int)(at - format), format, device, at + 2);
}

static uint64_t counter(const char *device, const char *name)
{
	char path[128], text[32];

	snprintf(path, sizeof(path), "/sys/class/net/%s/statistics/%s", device, name);
	return read_file(path, text, sizeof(text)) ? strtoull(text, NULL, 10) : 0;
}

/* Losses since the interface was taken. Drivers count packets without room in one of these
 * counters, some in two of them, so the highest counter is used. */
static uint64_t most_of(const struct mirror *m, const uint64_t now[MIRROR_LOSSES])
{
	uint64_t most = 0;

	for (size_t i = 0; i < MIRROR_LOSSES; i++)
		if (now[i] > m->lost[i] && now[i] - m->lost[i] > most)
			most = now[i] - m->lost[i];
	return most;
}

static bool get_flags(const char *device, short *ret)
{
	struct ifreq r = { 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool ok;

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", device);
	ok = fd >= 0 && ioctl(fd, SIOCGIFFLAGS, &r) == 0;
	if (fd >= 0)
		close(fd);
	*ret = r.ifr_flags;
	return ok;
}

static bool set_flags(const char *device, int flags)
{
	struct ifreq r = { .ifr_flags = (short)flags };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool ok;

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", device);
	ok = fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &r) == 0;
	if (fd >= 0)
		close(fd);
	return ok;
}

/* ---- which interfaces may not be taken ------------------------------------------------------- */

/* Whether somebody has set an address. Those that the kernel makes (fe80::) do not count, because
 * they go when IPv6 is turned off. */
static bool has_address(const char *device, char out[ADDR_TEXT])
{
	struct ifaddrs *list = NULL;
	bool found = false;

	if (getifaddrs(&list) != 0)
		return false;
	for (const struct ifaddrs *i = list; i != NULL && !found; i = i->ifa_next) {
		struct addr a = { 0 };

		if (i->ifa_addr == NULL || strcmp(i->ifa_name, device) != 0)
			continue;
		if (i->ifa_addr->sa_family == AF_INET) {
			a.family = 4;
			memcpy(a.b, &((const struct sockaddr_in *)(const void *)i->ifa_addr)->sin_addr, 4);
		} else if (i->ifa_addr->sa_family == AF_INET6) {
			const struct sockaddr_in6 *v6 = (const void *)i->ifa_addr;

			if (IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr))
				continue;
			a.family = 6;
			memcpy(a.b, &v6->sin6_addr, 16);
		} else {
			continue;
		}
		addr_text(&a, out);
		found = true;
	}
	freeifaddrs(list);
	return found;
}

/* Whether a bridge or bond contains the device, or a VLAN or the like lies on it: these would send
 * over it. */
static bool has_neighbour(const char *device, char *out, size_t size)
{
	char path[128], link[256];
	bool found = false;
	struct dirent *d;
	ssize_t n;
	DIR *dir;

	snprintf(path, sizeof(path), "/sys/class/net/%s/master", device);
	n = readlink(path, link, sizeof(link) - 1);
	if (n > 0) {
		link[n] = '\0';
		snprintf(out, size, "%.15s", strrchr(link, '/') != NULL ? strrchr(link, '/') + 1 : link);
		return true;
	}
	snprintf(path, sizeof(path), "/sys/class/net/%s", device);
	dir = opendir(path);
	while (dir != NULL && !found && (d = readdir(dir)) != NULL) {
		found = strncmp(d->d_name, "upper_", 6) == 0;
		if (found)
			snprintf(out, size, "%.15s", d->d_name + 6);
	}
	if (dir != NULL)
		closedir(dir);
	return found;
}

static bool is_vlan(const char *device)
{
	char path[128], text[512];
	int fd;
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/class/net/%s/uevent", device);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	return strncmp(text, "DEVTYPE=vlan\n", 13) == 0;
}

/* Whether the device is a bridge, a bond or the like: setting it down would cut off its ports. A
 * VLAN is none: it has one device below it, which stays up. */
static bool has_ports(const char *device)
{
	char path[128];
	bool found = false;
	struct dirent *d;
	DIR *dir;

	snprintf(path, sizeof(path), "/sys/class/net/%s", device);
	dir = opendir(path);
	while (dir != NULL && !found && (d = readdir(dir)) != NULL)
		found = strcmp(d->d_name, "brif") == 0 || strcmp(d->d_name, "bonding") == 0 ||
			(strncmp(d->d_name, "lower_", 6) == 0 && !is_vlan(device));
	if (dir != NULL)
		closedir(dir);
	return found;
}

static const char *named_by_model(const struct model *m, const char *device)
{
	for (size_t i = 0; m != NULL && i < m->box.n_interfaces; i++)
		if (strcmp(m->box.interfaces[i].device, device) == 0 || strcmp(m->box.interfaces[i].card, device) == 0)
			return m->box.interfaces[i].name;
	return NULL;
}

static bool named_by_answer(const json_t *answer, const char *device, char *out, size_t size)
{
	const json_t *list = json_object_get(answer, "interfaces"), *one;
	size_t i;

	json_array_foreach(list, i, one) {
		if (strcmp(js(one, "device"), device) == 0 ||
		    strcmp(js(json_object_get(one, "card"), "device"), device) == 0) {
			snprintf(out, size, "%s", js(one, "name"));
			return true;
		}
	}
	return false;
}

/* Whether the box's own policy uses the device, with or without its daemon. True: the device cannot
 * be taken; the reason was reported. */
static bool is_of_the_box(struct cli *c, const char *device, int *ret_status)
{
	struct compilation k = { 0 };
	struct policy_loader loader;
	struct box_answer answer;
	const char *name, *main_name;
	char role[64];
	bool of_it;

	if (access(c->socket, F_OK) == 0) {
		if (!box_request(c, &(struct msg_body){ .type = MSG_STATUS }, NULL, 0, ANSWER_S, &answer, ret_status))
			return true;
		of_it = named_by_answer(answer.json, device, role, sizeof(role));
		box_answer_free(&answer);
		if (of_it)
			*ret_status = cli_fail(c, CLI_CANNOT, M_LEARN_OF_THE_BOX, device, role);
		return of_it;
	}
	if (access(BOX_POLICY, F_OK) != 0)
		return false;
	k.arena = arena_new(COMPILE_BUDGET);
	if (k.arena == NULL) {
		*ret_status = cli_fail(c, CLI_CANNOT, M_CLI_NO_MEMORY);
		return true;
	}
	loader_folder(BOX_POLICY, k.arena, &loader, &main_name);
	if (!policy_check(&k, &loader, main_name) && k.model == NULL) {
		*ret_status = cli_fail(c, CLI_CANNOT, M_LEARN_UNTOLD, BOX_POLICY, device);
		arena_free(k.arena);
		return true;
	}
	name = named_by_model(k.model, device);
	if (name != NULL)
		*ret_status = cli_fail(c, CLI_CANNOT, M_LEARN_OF_THE_BOX, device, name);
	arena_free(k.arena);
	return name != NULL;
}

/*
 * Locks the interface, because two runs at once would each take the other's settings for the
 * interface's own. The lock is on one byte of the file LOCKS, whose position stands for a namespace
 * and an interface in it; it ends with its process. A descriptor, or -1 with errno; EAGAIN:
 * somebody has the lock.
 */
static int lock_interface(const char *device)
{
	struct flock byte = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1 };
	int fd = open(LOCKS, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600), code;
	struct stat space;

	if (fd < 0)
		return -1;
	if (stat("/proc/self/ns/net", &space) == 0) {
		byte.l_start = (off_t)((space.st_ino & INT32_MAX) << 32 | if_nametoindex(device));
		if (fcntl(fd, F_OFD_SETLK, &byte) == 0)
			return fd;
	}
	code = errno;
	close(fd);
	errno = code;
	return -1;
}

/* ---- taking and restoring -------------------------------------------------------------------- */

/* The device goes down first, so that the kernel's reports of leaving multicast groups reach
 * nobody. */
static bool silence(const struct mirror *m)
{
	char path[128];

	if (!set_flags(m->name, m->flags & ~IFF_UP))
		return false;
	for (size_t i = 0; i < SETTINGS; i++) {
		setting_path(i, m->name, path);
		if (m->settings[i][0] != '\0' && !write_file(path, settings[i].silent))
			return false;
	}
	return set_flags(m->name, m->flags | IFF_UP | IFF_NOARP);
}

static bool restore(const struct mirror *m)
{
	bool ok = set_flags(m->name, (m->flags & ~IFF_UP) | IFF_NOARP);
	char path[128];

	for (size_t i = 0; i < SETTINGS; i++) {
		setting_path(i, m->name, path);
		if (m->settings[i][0] != '\0')
			ok = write_file(path, m->settings[i]) && ok;
	}
	return set_flags(m->name, m->flags) && ok;
}

bool mirror_take(struct cli *c, const char *device, const struct model *model, struct mirror *ret, int *ret_status)
{
	char other[ADDR_TEXT], path[128];
	const char *name = named_by_model(model, device);

	*ret = (struct mirror){ 0 };
	if (strlen(device) >= IFNAMSIZ || strchr(device, '/') != NULL || !get_flags(device, &ret->flags))
		*ret_status = cli_fail(c, CLI_CANNOT, M_LEARN_NO_DEVICE, device);
	else if (name != NULL)
		*ret_status = cli_fail(c, CLI_CANNOT, M_LEARN_OF_THE_BOX, device, name);
	else if (has_address(device, other))
		*ret_status = cli_fail(c, CLI_CANNOT, M_LEARN_HAS_ADDRESS, device, other);
	else if (has_neighbour(device, other, sizeof(other)))
		*ret_status = cli_fail(c, CLI_CANNOT, M_LEARN_HAS_NEIGHBOUR, device, other);
	else if (has_ports(device))
		*ret_status = cli_fail(c, CLI_CANNOT, M_LEARN_HAS_PORTS, device);
	else if (geteuid() != 0)
		*ret_status = cli_fail(c, CLI_CANNOT, M_CAPTURE_ROOT, device, "");
	else if (!is_of_the_box(c, device, ret_status)) {
		ret->lock = lock_interface(device);
		if (ret->lock < 0 && errno == EAGAIN) {
			*ret_status = cli_fail(c, CLI_CANNOT, M_LEARN_TAKEN, device);
			return false;
		}
		snprintf(ret->name, sizeof(ret->name), "%s", device);
		for (size_t i = 0; i < SETTINGS; i++) {
			setting_path(i, device, path);
			read_file(path, ret->settings[i], sizeof(ret->settings[i]));
		}
		/* Another run may have restored the device meanwhile, so the flags are read
		 * again. */
		if (ret->lock >= 0 && get_flags(device, &ret->flags) && silence(ret)) {
			ret->sent = counter(device, "tx_packets");
			for (size_t i = 0; i < MIRROR_LOSSES; i++) {
				snprintf(path, sizeof(path), "/sys/class/net/%s/statistics/%s", device, losses[i]);
				ret->lost[i] = counter(device, losses[i]);
				ret->losses[i] = open(path, O_RDONLY | O_CLOEXEC);
			}
			return true;
		}
		*ret_status = cli_fail(c, CLI_CANNOT, M_LEARN_NOT_SILENT, device, strerror(errno));
		if (ret->lock >= 0) {
			restore(ret);
			close(ret->lock);
		}
	}
	return false;
}

/* Reads the counters; called once, because each open file gives the value of its first read. */
uint64_t mirror_missed(const struct mirror *m)
{
	uint64_t now[MIRROR_LOSSES];
	char text[32];

	for (size_t i = 0; i < MIRROR_LOSSES; i++) {
		ssize_t n = m->losses[i] >= 0 ? read(m->losses[i], text, sizeof(text) - 1) : -1;

		text[n > 0 ? n : 0] = '\0';
		now[i] = strtoull(text, NULL, 10);
	}
	return most_of(m, now);
}

uint64_t mirror_give_back(struct cli *c, const struct mirror *m)
{
	uint64_t sent = counter(m->name, "tx_packets"), now[MIRROR_LOSSES], missed;
	bool back;

	for (size_t i = 0; i < MIRROR_LOSSES; i++) {
		now[i] = counter(m->name, losses[i]);
		if (m->losses[i] >= 0)
			close(m->losses[i]);
	}
	missed = most_of(m, now);
	/* a card that is gone, or restarted, counts from 0 */
	sent = sent > m->sent ? sent - m->sent : 0;
	back = restore(m);
	close(m->lock);
	if (c->json)
		return missed;
	if (sent > 0)
		message_print(c->err, c->lang, M_LEARN_SENT, (unsigned long long)sent, m->name);
	if (missed > 0)
		message_print(c->err, c->lang, M_LEARN_MISSED, (unsigned long long)missed, m->name);
	if (!back)
		message_print(c->err, c->lang, M_LEARN_NOT_BACK, m->name);
	return missed;
}
