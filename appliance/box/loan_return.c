/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gives a device back to the first namespace and restores its earlier state, and then the devices
 * above it. Only differences are set, so a second run does no harm. What cannot be set is reported
 * in words.
 */
#include <errno.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/clock.h"
#include "appliance/base/json_each.h"
#include "appliance/base/sentence.h"
#include "appliance/base/sha256.h"
#include "appliance/box/box_private.h"
#include "appliance/box/loan.h"
#include "appliance/box/loan_private.h"

#define SECOND 1000000000ull
#define NAMES_TRIED 10

struct giving {
	const struct box_spaces *s;
	const json_t *picture;
	const char *device;
	char now[IFNAMSIZ]; /* the present name of the device; "" = it does not exist */
	bool leave;	    /* nothing is to be done */
	bool another;	    /* another card has this name now */
	/* first try: failures are not reported, because more may be possible later */
	bool silent;
	uint64_t elapsed_s;
	struct rtnl *home;
	struct devices *devices; /* devices of the first namespace at the last look */
	json_t *report, *lost;
	json_int_t set;
};

static void say_lost(struct giving *g, enum message m, ...)
{
	struct sentence say = { 0 };
	va_list ap;

	if (g->silent)
		return;
	va_start(ap, m);
	sentence_vsay(&say, m, ap);
	va_end(ap);
	json_array_append_new(g->lost, sentence_json(&say));
}

static const json_t *links_of(const struct giving *g)
{
	return json_object_get(g->picture, "links");
}

/* Whether the machine was started again after the picture was taken. If so, the elapsed time is
 * taken from the wall clock. */
static bool other_start(const json_t *picture, uint64_t *ret_elapsed_s)
{
	char boot[LOAN_BOOT_ID];
	bool other;
	uint64_t then, now;

	loan_boot_id(boot);
	other = strcmp(boot, text_in(picture, "boot")) != 0;
	then = (uint64_t)json_integer_value(json_object_get(picture, other ? "wall_ns" : "boottime_ns"));
	now = other ? clock_wall_ns() : clock_boot_ns();
	*ret_elapsed_s = now > then ? (now - then) / SECOND : 0;
	return other;
}

/* ---- the way back ---------------------------------------------------------------------------- */

/* Finds the device by its name, or after a rename by its number and hardware address together. */
static const struct device *recognised(const struct giving *g, const struct devices *there)
{
	const json_t *link = json_array_get(links_of(g), 0);
	const struct device *d = devices_find(there, g->device);
	char mac[2 * sizeof(d->mac) + 1];

	if (d != NULL || link == NULL)
		return d;
	d = devices_at(there, (uint32_t)json_integer_value(json_object_get(link, "index")));
	if (d == NULL || d->n_mac == 0)
		return NULL;
	hex_text(d->mac, d->n_mac, mac);
	return strcmp(mac, text_in(link, "mac")) == 0 ? d : NULL;
}

/* Moves the device to the first namespace under its name, or under a free name if another device
 * has its name. */
static int move_home(struct giving *g, struct rtnl *from, const struct device *d, struct err *e)
{
	int r;

	rtnl_link_set(from, d->index, false, 0, NULL);
	snprintf(g->now, sizeof(g->now), "%s", g->device);
	r = rtnl_link_move(from, d->index, g->s->home, g->device, e);
	for (int i = 2; r == -EEXIST && i < NAMES_TRIED; i++) {
		snprintf(g->now, sizeof(g->now), "%.12s-%u", g->device, (unsigned)i % 100u);
		r = rtnl_link_move(from, d->index, g->s->home, g->now, e);
	}
	if (r == 0 && strcmp(g->now, g->device) != 0)
		say_lost(g, M_BACK_NAME, g->device, g->now);
	return r;
}

/* Finds the device in a namespace of the box and moves it to the first one. -ENODEV: it is in
 * neither. */
static int fetch_device(struct giving *g, struct err *e)
{
	const int spaces[] = { g->s->data, g->s->admin };
	int r = -ENODEV;

	for (size_t i = 0; i < 2 && r == -ENODEV; i++) {
		struct rtnl *from = spaces[i] >= 0 ? rtnl_open(spaces[i], g->s->home, e) : NULL;
		const struct device *d = NULL;

		if (from == NULL)
			continue;
		r = devices_read(from, g->devices, e);
		if (r == 0)
			d = recognised(g, g->devices);
		if (d != NULL && spaces[i] == g->s->data)
			vlans_off(g->s, from, d->index);
		if (r == 0)
			r = d != NULL ? move_home(g, from, d, e) : -ENODEV;
		rtnl_close(from);
	}
	return r;
}

/* ---- restoring the settings ------------------------------------------------------------------ */

static const struct device *read_device(struct giving *g, const char *name)
{
	return devices_read(g->home, g->devices, NULL) < 0 ? NULL : devices_find(g->devices, name);
}

struct telling {
	struct giving *g;
	const char *name;
};

static void setting_lost(void *ctx, const char *name, const char *value)
{
	const struct telling *t = ctx;

	say_lost(t->g, M_BACK_SETTING, t->name, name, value);
}

/* Puts the device back into its bridge or bond. A bond takes only a device that is down. */
static void give_master(struct giving *g, const json_t *link, const char *name)
{
	const char *master = text_in(link, "master");
	const struct device *d = read_device(g, name),
			    *over = *master != '\0' ? devices_find(g->devices, master) : NULL;
	struct err e = { 0 };

	if (d == NULL || *master == '\0' || (over != NULL && d->master == over->index))
		return;
	if (over != NULL && d->up)
		rtnl_link_set(g->home, d->index, false, 0, NULL);
	if (over == NULL)
		say_lost(g, M_BACK_NO_MASTER, name, master);
	else if (rtnl_link_master(g->home, d->index, over->index, &e) < 0)
		say_lost(g, M_BACK_MASTER, name, master, e.text);
}

static void give_link(struct giving *g, const json_t *link, const char *name)
{
	const struct device *d = read_device(g, name), *own;
	uint32_t mtu = (uint32_t)json_integer_value(json_object_get(link, "mtu"));
	bool up = json_is_true(json_object_get(link, "up"));
	struct telling t = { g, name };
	struct err e = { 0 };
	uint8_t mac[32];
	size_t n;

	if (d != NULL && mtu != 0 && d->mtu != mtu && rtnl_link_set(g->home, d->index, d->up, mtu, &e) < 0)
		say_lost(g, M_BACK_LINK, name, e.text);
	loan_settings_set(name, json_object_get(link, "settings"), setting_lost, &t);
	give_master(g, link, name);
	d = read_device(g, name);
	if (d != NULL && !(g->another && strcmp(name, g->now) == 0) &&
	    loan_hex_read(text_in(link, "mac"), mac, sizeof(mac), &n) && n > 0 &&
	    (n != d->n_mac || memcmp(mac, d->mac, n) != 0) && rtnl_link_mac(g->home, d->index, mac, n, &e) < 0)
		say_lost(g, M_BACK_LINK, name, e.text);
	/* The card's address filter has lost the hardware address of the device above it. The
	 * device above enters its address again when it comes up, so it is set down first. */
	own = devices_find(g->devices, g->now);
	if (g->silent && d != NULL && own != NULL && d->parent == own->index && d->up && up) {
		rtnl_link_set(g->home, d->index, false, 0, NULL);
		d = read_device(g, name);
	}
	if (d != NULL && !d->mute && json_is_true(json_object_get(link, "mute")) &&
	    rtnl_link_mute(g->home, d->index, true, &e) < 0)
		say_lost(g, M_BACK_LINK, name, e.text);
	if (d != NULL && d->up != up && rtnl_link_set(g->home, d->index, up, 0, &e) < 0)
		say_lost(g, M_BACK_LINK, name, e.text);
}

/* The facts of the link that are missing now. A new reference; empty when they cannot be read. */
static json_t *missing_facts(struct giving *g, const json_t *link, const char *name)
{
	const struct device *d = read_device(g, name);
	json_t *have = NULL, *list;
	bool more;

	if (d == NULL || loan_facts(g->home, g->devices, d->index, &have, &more, NULL) < 0)
		list = json_array();
	else
		list = loan_missing(json_object_get(link, "facts"), have);
	json_decref(have);
	return list;
}

/* Sets the missing facts. A route may need another route or an address first, so this is repeated
 * as long as one more can be set. */
static void give_facts(struct giving *g, const json_t *link, const char *name)
{
	json_t *list = missing_facts(g, link, name), *expired = json_object_get(g->report, "expired");
	struct err e = { 0 };
	bool moved = true;

	while (moved) {
		moved = false;
		for (size_t i = 0; i < json_array_size(list);) {
			const json_t *fact = json_array_get(list, i);
			int r = loan_fact_set(g->home, g->devices, fact, g->device, g->now, g->elapsed_s, &e);

			if (r == -ETIME && !g->silent)
				json_array_append_new(expired, json_text(text_in(fact, "text")));
			if (r == 0 || r == -ETIME) {
				moved = true;
				g->set += r == 0;
				json_array_remove(list, i);
			} else {
				i++;
			}
		}
	}
	for (size_t i = 0; i < json_array_size(list) && !g->silent; i++) {
		const json_t *fact = json_array_get(list, i);
		int r = loan_fact_set(g->home, g->devices, fact, g->device, g->now, g->elapsed_s, &e);

		say_lost(g, M_BACK_FACT, name, text_in(fact, "text"), strerror(r < 0 ? -r : 0));
	}
	json_decref(list);
	if (json_is_true(json_object_get(link, "more")))
		say_lost(g, M_BACK_MORE, name, LOAN_FACTS);
}

/* Whether the device is a bridge or bond whose ports were recorded too. If it is missing, each port
 * reports that. */
static bool has_ports(const struct giving *g, const char *name)
{
	const json_t *links = links_of(g);

	for (size_t i = 0; i < json_array_size(links); i++)
		if (strcmp(text_in(json_array_get(links, i), "master"), name) == 0)
			return true;
	return false;
}

static bool in_box(const struct giving *g, const char *name)
{
	const int spaces[] = { g->s->data, g->s->admin };
	bool there = false;

	for (size_t i = 0; i < 2 && !there; i++) {
		struct rtnl *r = spaces[i] >= 0 ? rtnl_open(spaces[i], g->s->home, NULL) : NULL;
		struct device l;

		there = r != NULL && rtnl_link_get(r, name, &l, NULL) == 0;
		rtnl_close(r);
	}
	return there;
}

/* Reports devices that were above the device and do not exist any more: VLANs that this program
 * cannot make again as they were, and devices above these. */
static void absent(struct giving *g)
{
	const json_t *links = links_of(g);

	for (size_t i = 1; i < json_array_size(links) && !g->leave; i++) {
		const json_t *link = json_array_get(links, i);
		const char *name = text_in(link, "name");

		if (read_device(g, name) == NULL && !has_ports(g, name) && !in_box(g, name))
			say_lost(g, M_BACK_ABOVE, name, text_in(link, "kind"), g->now);
	}
}

/* Calls `give` for each link of the picture that exists in the first namespace. Links above the
 * device may be in a namespace of the box, or may not exist any more. */
static void each_link(struct giving *g, void (*give)(struct giving *g, const json_t *link, const char *name))
{
	const json_t *links = links_of(g);

	for (size_t i = 0; i < json_array_size(links) && !g->leave; i++) {
		const json_t *link = json_array_get(links, i);
		const char *name = i == 0 ? g->now : text_in(link, "name");

		if (read_device(g, name) != NULL)
			give(g, link, name);
	}
}

/* The device is in the first namespace already, because its namespace ended, or because it was
 * never moved. */
static void at_home(struct giving *g)
{
	bool other = g->picture != NULL && other_start(g->picture, &g->elapsed_s);
	json_t *as_is = loan_read(g->s, g->device, NULL);

	g->leave = true;
	if (as_is == NULL) {
		say_lost(g, M_BACK_GONE, g->device);
		return;
	}
	snprintf(g->now, sizeof(g->now), "%s", g->device);
	json_object_set_new(g->report, "was_here", json_true());
	/* After a start of the machine, or a change by hand, the device is as it should be. So it
	 * is left alone, unless an earlier return was not finished. */
	g->leave = g->picture == NULL || other ||
		   !(loan_bare(as_is) || json_is_true(json_object_get(g->picture, "going")));
	json_decref(as_is);
}

static void give_begin(struct giving *g)
{
	struct err e = { 0 };
	int r = fetch_device(g, &e);

	if (r == -ENODEV) {
		at_home(g);
	} else if (r < 0) {
		g->now[0] = '\0';
		g->leave = true;
		json_object_set_new(g->report, "stuck", json_true());
		say_lost(g, M_BACK_STUCK, g->device, e.text);
	} else if (g->picture == NULL) {
		g->leave = true;
		say_lost(g, M_BACK_UNKNOWN, g->now);
	} else {
		other_start(g->picture, &g->elapsed_s);
	}
}

/* Compares the hardware address with the picture, and notes whether another card has this name
 * now. */
static void whose(struct giving *g)
{
	const struct device *d = g->picture != NULL && !g->leave ? read_device(g, g->now) : NULL;
	const char *own = text_in(json_array_get(links_of(g), 0), "own");
	char now[2 * sizeof(d->own) + 1];

	if (d == NULL || d->n_own == 0 || *own == '\0')
		return;
	hex_text(d->own, d->n_own, now);
	g->another = strcmp(own, now) != 0;
	if (g->another)
		say_lost(g, M_BACK_ANOTHER, g->now);
}

/* Makes the machine's own VLANs again, which were deleted when the card was taken. */
static void remake(struct giving *g)
{
	const json_t *links = links_of(g);

	for (size_t i = 1; i < json_array_size(links) && !g->leave; i++) {
		const json_t *link = json_array_get(links, i), *vlan = json_object_get(link, "vlan");
		const char *name = text_in(link, "name"), *on = text_in(vlan, "on");
		const struct device *below = read_device(g, strcmp(on, g->device) == 0 ? g->now : on);
		struct err e = { 0 };

		if (vlan == NULL || below == NULL || read_device(g, name) != NULL)
			continue;
		below = read_device(g, strcmp(on, g->device) == 0 ? g->now : on);
		if (below != NULL && strlen(name) < IFNAMSIZ &&
		    rtnl_link_vlan(g->home, name, below->index,
				   (uint16_t)json_integer_value(json_object_get(vlan, "id")), false, &e) < 0)
			say_lost(g, M_BACK_LINK, name, e.text);
	}
}

/*
 * All devices are moved before any is set up, and everything is tried once before failures are
 * reported, because a port needs its bridge, a VLAN needs its card, and a route may need an address
 * of another device.
 */
static void give_all(struct giving *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		give_begin(&list[i]);
	for (size_t i = 0; i < n; i++)
		whose(&list[i]);
	for (size_t i = 0; i < n; i++)
		remake(&list[i]);
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < n; i++) {
			list[i].silent = round == 0;
			each_link(&list[i], give_link);
		}
		for (size_t i = 0; i < n; i++)
			each_link(&list[i], give_facts);
	}
	for (size_t i = 0; i < n; i++)
		absent(&list[i]);
}

bool loan_stuck(const json_t *reports, const char *device)
{
	json_each(one, reports)
		if (strcmp(json_string_value(json_object_get(one, "device")), device) == 0)
			return json_is_true(json_object_get(one, "stuck"));
	return true;
}

json_t *loan_give_back(const struct box_spaces *s, const json_t *wanted)
{
	size_t n = json_object_size(wanted), i = 0;
	struct giving *list = calloc(n + 1, sizeof(*list));
	struct devices *devices = calloc(1, sizeof(*devices));
	struct rtnl *home = rtnl_open(s->home, s->home, NULL);
	json_t *reports = NULL, *picture;
	const char *device;

	if (list == NULL || devices == NULL || home == NULL)
		goto out;
	json_object_foreach((json_t *)(uintptr_t)wanted, device, picture) {
		struct giving *g = &list[i++];

		g->s = s;
		g->device = device;
		g->picture = json_is_object(picture) ? picture : NULL;
		g->home = home;
		g->devices = devices;
		g->lost = json_array();
		g->report = json_pack("{s:o, s:[]}", "device", json_text(device), "expired");
	}
	n = i;
	give_all(list, n);
	reports = json_array();
	for (i = 0; i < n; i++) {
		json_object_set_new(list[i].report, "now", json_text(list[i].now));
		json_object_set_new(list[i].report, "facts", json_integer(list[i].set));
		json_object_set_new(list[i].report, "lost", list[i].lost);
		json_array_append_new(reports, list[i].report);
	}
out:
	rtnl_close(home);
	free(devices);
	free(list);
	return reports;
}
