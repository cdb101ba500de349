/* SPDX-License-Identifier: Apache-2.0 */
/* The machine's network cards, as /sys shows them without root rights, and their lights. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <limits.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "mgmt/cli/devices/devices.h"
#include "mgmt/cli/screen/table.h"
#include "mgmt/cli/setup/cards.h"
#include "mgmt/cli/setup/setup.h"
#include "mgmt/cli/setup/step.h"

#define BLINKS_S 5u

static bool attribute(const char *card, const char *name, char *out, size_t size)
{
	char path[80];
	FILE *f;
	bool ok;

	snprintf(path, sizeof(path), "/sys/class/net/%.16s/%.20s", card, name);
	f = fopen(path, "re");
	if (f == NULL)
		return false;
	ok = fgets(out, (int)size, f) != NULL;
	fclose(f);
	if (ok)
		out[strcspn(out, "\n")] = '\0';
	return ok;
}

/* The last part of a link's target in /sys. */
static bool leads_to(const char *card, const char *name, char *out, size_t size)
{
	char path[80], to[PATH_MAX];
	const char *last;
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/class/net/%.16s/%.20s", card, name);
	n = readlink(path, to, sizeof(to) - 1);
	if (n <= 0)
		return false;
	to[n] = '\0';
	last = strrchr(to, '/');
	snprintf(out, size, "%.*s", (int)size - 1, last != NULL ? last + 1 : to);
	return true;
}

static void card_read(struct card *c, const char *name)
{
	char text[64];

	*c = (struct card){ 0 };
	snprintf(c->name, sizeof(c->name), "%.15s", name);
	attribute(name, "address", c->mac, sizeof(c->mac));
	c->hardware = leads_to(name, "device", text, sizeof(text));
	leads_to(name, "device/driver", c->driver, sizeof(c->driver));
	leads_to(name, "master", c->master, sizeof(c->master));
	c->up = attribute(name, "flags", text, sizeof(text)) && (strtoul(text, NULL, 16) & IFF_UP) != 0;
	c->carrier = attribute(name, "carrier", text, sizeof(text)) && text[0] == '1';
	if (attribute(name, "speed", text, sizeof(text)))
		c->speed_mbit = (int)strtol(text, NULL, 10);
}

/* An address may have a label, "eth0:1". */
static bool is_of(const char *label, const char *card)
{
	size_t n = strcspn(label, ":");

	return strlen(card) == n && strncmp(label, card, n) == 0;
}

/* Marks the card that this session uses. */
static void mark_own(struct cards *all)
{
	struct own_session own;
	struct ifaddrs *list;

	if (!own_session(&own) || getifaddrs(&list) < 0)
		return;
	for (const struct ifaddrs *a = list; a != NULL; a = a->ifa_next) {
		char text[INET6_ADDRSTRLEN + 2] = "", whole[INET6_ADDRSTRLEN + 4];

		if (a->ifa_addr == NULL)
			continue;
		if (a->ifa_addr->sa_family == AF_INET)
			inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)a->ifa_addr)->sin_addr, text,
				  sizeof(text));
		else if (a->ifa_addr->sa_family == AF_INET6)
			inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)a->ifa_addr)->sin6_addr, text,
				  sizeof(text));
		snprintf(whole, sizeof(whole), strchr(text, ':') != NULL ? "[%s]:" : "%s:", text);
		for (size_t i = 0; i < all->n && text[0] != '\0'; i++)
			if (is_of(a->ifa_name, all->list[i].name) && strncmp(own.local, whole, strlen(whole)) == 0)
				all->list[i].yours = true;
	}
	freeifaddrs(list);
}

static int by_kind_and_name(const void *a, const void *b)
{
	const struct card *x = a, *y = b;

	return x->hardware != y->hardware ? (x->hardware ? -1 : 1) : strcmp(x->name, y->name);
}

void cards_read(struct cards *ret)
{
	DIR *dir = opendir("/sys/class/net");
	const struct dirent *d;

	ret->n = 0;
	while (dir != NULL && (d = readdir(dir)) != NULL && ret->n < CARDS_MAX) {
		char path[300];

		snprintf(path, sizeof(path), "/sys/class/net/%s/bridge", d->d_name);
		/* The bonding module puts a plain file among the devices. */
		if (d->d_name[0] == '.' || d->d_type == DT_REG || strcmp(d->d_name, "lo") == 0 ||
		    strlen(d->d_name) > 15 || access(path, F_OK) == 0)
			continue;
		card_read(&ret->list[ret->n++], d->d_name);
	}
	if (dir != NULL)
		closedir(dir);
	qsort(ret->list, ret->n, sizeof(ret->list[0]), by_kind_and_name);
	mark_own(ret);
}

static const char *link_text(const struct setup *s, const struct card *c)
{
	return message_format(c->carrier ? M_SETUP_LINK_UP : c->up ? M_SETUP_LINK_NONE : M_SETUP_LINK_DOWN, s->c->lang);
}

/* Updates what has changed, such as a plugged cable; the cards keep their numbers. */
static void refresh(struct cards *all)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct card was = all->list[i];

		card_read(&all->list[i], was.name);
		all->list[i].raised = was.raised;
		all->list[i].quieted = was.quieted;
	}
	mark_own(all);
}

void cards_watch(struct setup *s)
{
	bool told = false;

	for (size_t i = 0; i < s->cards.n; i++) {
		struct card *c = &s->cards.list[i];
		char text[8];
		bool now = attribute(c->name, "carrier", text, sizeof(text)) && text[0] == '1';

		if (now == c->carrier)
			continue;
		if (!told)
			fputc('\n', s->c->out); /* ends the line of the question */
		step_tell(s, now ? M_SETUP_CABLE_IN : M_SETUP_CABLE_OUT, c->name, i + 1);
		c->carrier = now;
		told = true;
	}
	if (told) {
		fputs("> ", s->c->out);
		fflush(s->c->out);
	}
}

/* What is known of a card: what it was chosen for, whose session it carries, whose port it is. */
static void note_of(const struct setup *s, const struct card *c, char *out, size_t size)
{
	size_t n = 0;

	out[0] = '\0';
	if (s->admin.card == c)
		n += (size_t)snprintf(out, size, "= %s ", message_format(M_SETUP_ADMINISTRATION, s->c->lang));
	for (size_t i = 0; i < s->n_data && n < size; i++)
		if (s->data[i].card == c)
			n += (size_t)snprintf(out + n, size - n, "= %s ", s->data[i].zone);
	if (c->yours && n < size)
		snprintf(out + n, size - n, "%s", message_format(M_SETUP_YOURS, s->c->lang));
	else if (c->master[0] != '\0' && n < size)
		message_text(out + n, size - n, s->c->lang, M_SETUP_PORT, c->master);
}

void cards_print(struct setup *s)
{
	struct table *t = table_new(7, 2);
	static const enum message heads[] = { M_SETUP_COL_NUMBER, M_COL_DEVICE,	   M_SETUP_COL_LINK,
					      M_SETUP_COL_SPEED,  M_SETUP_COL_MAC, M_SETUP_COL_DRIVER,
					      M_SETUP_COL_NOTE };

	refresh(&s->cards);
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		table_cell(t, message_format(heads[i], s->c->lang));
	table_head_done(t);
	table_right(t, 0);
	for (size_t i = 0; i < s->cards.n; i++) {
		const struct card *c = &s->cards.list[i];
		char note[200];

		note_of(s, c, note, sizeof(note));
		table_cellf(t, "%zu", i + 1);
		table_cell(t, c->name);
		table_cell(t, link_text(s, c));
		table_cellf(t, c->speed_mbit > 0 ? "%d Mbit/s" : "-", c->speed_mbit);
		table_cell(t, c->mac);
		table_cell(t, c->driver[0] != '\0' ? c->driver : "-");
		table_cell(t, note);
	}
	fputc('\n', s->c->out);
	(void)table_end(t, s->c->out, s->c->color);
}

void card_blink(struct setup *s, const struct card *card)
{
	struct ethtool_value v = { .cmd = ETHTOOL_PHYS_ID, .data = BLINKS_S };
	struct ifreq r = { .ifr_data = (void *)&v };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), code = 0;

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", card->name);
	step_tell(s, M_SETUP_BLINKS, card->name, BLINKS_S);
	fflush(s->c->out);
	if (fd < 0 || ioctl(fd, SIOCETHTOOL, &r) < 0)
		code = errno;
	if (fd >= 0)
		close(fd);
	if (code == EOPNOTSUPP)
		step_tell(s, M_SETUP_NO_BLINK, card->name);
	else if (code != 0)
		step_tell(s, M_SETUP_BLINK_FAILED, card->name, strerror(code));
}

/* ---- cards that are down --------------------------------------------------------------------- */

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
