/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the state of a device and of the devices above it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "appliance/base/sha256.h"
#include "appliance/box/loan.h"
#include "appliance/box/loan_private.h"
#include "appliance/box/netns.h"

void loan_boot_id(char out[LOAN_BOOT_ID])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, out, LOAN_BOOT_ID - 1);

	if (fd >= 0)
		close(fd);
	out[n > 0 ? n : 0] = '\0';
	out[strcspn(out, "\n")] = '\0';
}

/* The settings of a device in /proc/sys/net: the kernel forgets them when the device leaves its
 * namespace. */

#define VALUE_BYTES 128u

static const char *const folders[] = { "ipv4/conf", "ipv4/neigh", "ipv6/conf", "ipv6/neigh" };

/* Reads the first line of one value. False: it cannot be read, for example an IPv6 secret that was
 * never set. */
static bool value_read(const char *folder, const char *device, const char *name, char out[VALUE_BYTES])
{
	char path[200];
	ssize_t n;
	int fd;

	if (snprintf(path, sizeof(path), "/proc/sys/net/%s/%s/%s", folder, device, name) >= (int)sizeof(path))
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, out, VALUE_BYTES - 1);
	close(fd);
	if (n <= 0)
		return false;
	out[n] = '\0';
	out[strcspn(out, "\n")] = '\0';
	return true;
}

static json_t *settings_of(const char *device)
{
	json_t *all = json_object();

	for (size_t f = 0; f < sizeof(folders) / sizeof(folders[0]); f++) {
		char path[120], key[120], value[VALUE_BYTES];
		const struct dirent *d;
		DIR *dir;

		snprintf(path, sizeof(path), "/proc/sys/net/%s/%.16s", folders[f], device);
		dir = opendir(path);
		while (dir != NULL && (d = readdir(dir)) != NULL) {
			if (d->d_name[0] == '.' || !value_read(folders[f], device, d->d_name, value) ||
			    snprintf(key, sizeof(key), "%s/%s", folders[f], d->d_name) >= (int)sizeof(key))
				continue;
			json_object_set_new(all, key, json_text(value));
		}
		if (dir != NULL)
			closedir(dir);
	}
	return all;
}

static json_t *link_read(struct rtnl *home, const struct devices *all, const struct device *d, struct err *e)
{
	const struct device *over = d->master != 0 ? devices_at(all, d->master) : NULL;
	char mac[2 * sizeof(d->mac) + 1];
	json_t *facts = NULL, *link;
	bool more = false;
	int r = loan_facts(home, all, d->index, &facts, &more, e);

	if (r < 0) {
		json_decref(facts);
		return NULL;
	}
	hex_text(d->mac, d->n_mac, mac);
	link = json_pack("{s:o, s:I, s:s, s:s, s:I, s:b, s:o, s:o, s:o}", "name", json_text(d->name), "index",
			 (json_int_t)d->index, "kind", d->kind, "mac", mac, "mtu", (json_int_t)d->mtu, "up", (int)d->up,
			 "master", over != NULL ? json_text(over->name) : json_null(), "settings", settings_of(d->name),
			 "facts", facts);
	if (d->n_own > 0) {
		hex_text(d->own, d->n_own, mac);
		json_object_set_new(link, "own", json_string(mac));
	}
	if (more)
		json_object_set_new(link, "more", json_true());
	if (d->mute)
		json_object_set_new(link, "mute", json_true());
	/* The machine's own VLANs on a card that box.cfg uses for VLANs are lost when the box takes
	 * the card. They are made anew when it goes back. */
	over = d->vlan != 0 && d->vlan_plain ? devices_at(all, d->parent) : NULL;
	if (over != NULL)
		json_object_set_new(link, "vlan",
				    json_pack("{s:i, s:o}", "id", (int)d->vlan, "on", json_text(over->name)));
	return link;
}

/* All devices above `d`: VLANs and the like on it, the bridge or bond that it is a port of, and
 * what lies above those. */
size_t loan_above(const struct devices *all, const struct device *d, const struct device *ret[LOAN_LINKS])
{
	size_t n = 1;

	ret[0] = d;
	for (size_t at = 0; at < n; at++)
		for (size_t i = 0; i < all->n; i++) {
			const struct device *x = &all->list[i];
			/* The two ends of a pair name each other, but neither is above the
			 * other. */
			bool on = x->parent == ret[at]->index && !device_is_pair(x);
			bool above = on || (ret[at]->master != 0 && ret[at]->master == x->index);

			for (size_t k = 0; k < n; k++)
				above = above && ret[k] != x;
			if (above && n < LOAN_LINKS)
				ret[n++] = x;
		}
	return n;
}

json_t *loan_read(const struct box_spaces *s, const char *device, struct err *e)
{
	struct devices *all = calloc(1, sizeof(*all));
	struct rtnl *home = all != NULL ? rtnl_open(s->home, s->home, e) : NULL;
	const struct device *links[LOAN_LINKS], *d;
	json_t *picture = NULL, *list = json_array(), *link;
	char boot[LOAN_BOOT_ID];
	size_t n;

	if (all == NULL)
		err_set(e, -ENOMEM, "device %s", device);
	if (home == NULL || devices_read(home, all, e) < 0)
		goto out;
	d = devices_find(all, device);
	if (d == NULL) {
		err_set(e, -ENODEV, "device %s", device);
		goto out;
	}
	n = loan_above(all, d, links);
	for (size_t i = 0; i < n; i++) {
		link = link_read(home, all, links[i], e);
		if (link == NULL)
			goto out;
		json_array_append_new(list, link);
	}
	loan_boot_id(boot);
	picture = json_pack("{s:s, s:I, s:I, s:O}", "boot", boot, "wall_ns", (json_int_t)clock_wall_ns(), "boottime_ns",
			    (json_int_t)clock_boot_ns(), "links", list);
out:
	json_decref(list);
	rtnl_close(home);
	free(all);
	return picture;
}

bool loan_bare(const json_t *picture)
{
	const json_t *link = json_array_get(json_object_get(picture, "links"), 0),
		     *facts = json_object_get(link, "facts");

	if (json_is_true(json_object_get(link, "up")) || json_is_string(json_object_get(link, "master")))
		return false;
	return json_array_size(facts) == 0;
}

/* Splits "ipv4/conf/rp_filter" into its folder and its name. */
static bool key_split(const char *key, char folder[32], const char **ret_name)
{
	for (size_t f = 0; f < sizeof(folders) / sizeof(folders[0]); f++) {
		size_t n = strlen(folders[f]);

		if (strncmp(key, folders[f], n) != 0 || key[n] != '/' || key[n + 1] == '.' ||
		    strchr(key + n + 1, '/') != NULL)
			continue;
		snprintf(folder, 32, "%s", folders[f]);
		*ret_name = key + n + 1;
		return true;
	}
	return false;
}

void loan_settings_set(const char *device, const json_t *wanted,
		       void (*each)(void *ctx, const char *name, const char *value), void *ctx)
{
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)wanted, key, v) {
		char folder[32], now[VALUE_BYTES], path[160];
		const char *name, *value = json_string_value(v);

		/* A value that this kernel does not have, or does not show, cannot be set. */
		if (value == NULL || !key_split(key, folder, &name) || !value_read(folder, device, name, now) ||
		    strcmp(now, value) == 0)
			continue;
		snprintf(path, sizeof(path), "%s/%.16s/%.80s", folder, device, name);
		(void)netns_sysctl(path, value, NULL);
		/* The value may have been set by another write: some times exist in milliseconds
		 * and in ticks. */
		if (!value_read(folder, device, name, now) || strcmp(now, value) != 0)
			each(ctx, key, value);
	}
}
