/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "mgmt/cli/setup/setup.h"

#define SETTLE_NS 4000000000ull /* two ends agree on a speed in two or three seconds */
#define LOOK_MS 100

static int flags(int fd, const char *name, unsigned long request, short *value)
{
	struct ifreq r = { 0 };
	int done;

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	r.ifr_flags = *value;
	done = ioctl(fd, request, &r);
	*value = r.ifr_flags;
	return done;
}

/* Turns IPv6 of the card off or on. False: it was so already, or cannot be changed. */
static bool six(const char *name, bool off)
{
	char path[80], was = 0;
	bool done = false;
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%.15s/disable_ipv6", name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (read(fd, &was, 1) == 1 && was == (off ? '0' : '1'))
		done = pwrite(fd, off ? "1" : "0", 1, 0) == 1;
	close(fd);
	return done;
}

/* Whether the card has an address. Such a card would be in use as soon as it is up. */
static bool has_address(const struct ifaddrs *list, const char *name)
{
	for (const struct ifaddrs *a = list; a != NULL; a = a->ifa_next) {
		size_t n = strcspn(a->ifa_name, ":");

		if (a->ifa_addr != NULL && (a->ifa_addr->sa_family == AF_INET || a->ifa_addr->sa_family == AF_INET6) &&
		    strlen(name) == n && strncmp(a->ifa_name, name, n) == 0)
			return true;
	}
	return false;
}

static void raise_one(int fd, struct card *c)
{
	short now = 0;

	if (flags(fd, c->name, SIOCGIFFLAGS, &now) < 0 || (now & (IFF_UP | IFF_NOARP)) != 0)
		return;
	c->quieted = six(c->name, true);
	/* Both flags at once: the card is never up with ARP. */
	now = (short)(now | IFF_UP | IFF_NOARP);
	c->raised = flags(fd, c->name, SIOCSIFFLAGS, &now) == 0;
	if (!c->raised && c->quieted)
		c->quieted = !six(c->name, false);
}

void links_raise(struct cards *all)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifaddrs *list = NULL;

	if (fd >= 0 && getifaddrs(&list) == 0)
		for (size_t i = 0; i < all->n; i++)
			if (!all->list[i].up && all->list[i].master[0] == '\0' &&
			    !has_address(list, all->list[i].name)) {
				raise_one(fd, &all->list[i]);
				if (all->list[i].raised)
					all->raised_ns = clock_mono().ns;
			}
	freeifaddrs(list);
	if (fd >= 0)
		close(fd);
}

static bool has_link(const char *name)
{
	char path[64], text = '0';
	int fd;

	snprintf(path, sizeof(path), "/sys/class/net/%.15s/carrier", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, &text, 1) != 1)
		text = '0';
	if (fd >= 0)
		close(fd);
	return text == '1';
}

static bool link_lacks(const struct cards *all)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->list[i].raised && !has_link(all->list[i].name))
			return true;
	return false;
}

void links_settle(const struct cards *all)
{
	while (all->raised_ns != 0 && clock_mono().ns - all->raised_ns < SETTLE_NS && link_lacks(all))
		(void)poll(NULL, 0, LOOK_MS);
}

void links_lower(struct cards *all)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	for (size_t i = 0; fd >= 0 && i < all->n; i++) {
		struct card *c = &all->list[i];
		short now = 0;

		if (c->raised && flags(fd, c->name, SIOCGIFFLAGS, &now) == 0) {
			now = (short)(now & ~(IFF_UP | IFF_NOARP));
			flags(fd, c->name, SIOCSIFFLAGS, &now);
		}
		if (c->quieted)
			six(c->name, false);
		c->raised = c->quieted = false;
	}
	if (fd >= 0)
		close(fd);
}
