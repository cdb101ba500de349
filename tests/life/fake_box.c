/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replaces appliance/box and appliance/kernel, as far as the supervisor calls them: cards that are
 * in one of three namespaces, and rules that exist or not. Everything that can fail there asks
 * machine_call first.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "appliance/box/admin_rules.h"
#include "appliance/box/announce.h"
#include "appliance/box/box.h"
#include "appliance/box/home_sessions.h"
#include "appliance/box/loan.h"
#include "appliance/box/netns.h"
#include "appliance/box/outside.h"
#include "appliance/box/rtnl.h"
#include "appliance/box/sysctl.h"
#include "appliance/kernel/deny_base.h"
#include "appliance/kernel/dump.h"
#include "appliance/kernel/small_tables.h"
#include "policy/ir/ir.h"
#include "tests/life/machine.h"

/* A descriptor that never becomes readable. */
static int silent_fd(void)
{
	return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

static int open_one(const char *what, struct err *e)
{
	return machine_call(what, e) < 0 ? e->code : silent_fd();
}

/* ---- namespaces, locks ----------------------------------------------------------------------- */

int netns_own(struct err *e)
{
	return open_one("open the first namespace", e);
}

int netns_open(const char *name, bool *made, struct err *e)
{
	*made = !machine.base;
	return open_one(name, e);
}

int netns_find(const char *name, struct err *e)
{
	return machine.base ? open_one(name, e) : err_set(e, -ENOENT, "%s", name);
}

int netns_enter(int nsfd, struct err *e)
{
	(void)nsfd, (void)e;
	return 0;
}

bool netns_same(int a, int b)
{
	return a == b;
}

int lock_namespace(void *ctx, struct err *e)
{
	(void)ctx;
	return open_one("lock the namespace", e);
}

int lock_folder(int fd, struct err *e)
{
	(void)fd;
	return machine_call("lock the folder", e);
}

int lock_open_folder(int dirfd, struct err *e)
{
	(void)dirfd;
	return open_one("lock the folder", e);
}

int scratch_open(int home, struct box_spaces *ret, struct err *e)
{
	(void)home;
	*ret = (struct box_spaces){ silent_fd(), silent_fd(), silent_fd() };
	return machine_call("namespaces to try in", e);
}

int rtnl_monitor_open(int nsfd, int homefd, bool facts, struct err *e)
{
	int fd = open_one("hear of links", e);

	(void)nsfd, (void)homefd, (void)facts;
	memmove(machine.links + 1, machine.links, sizeof(machine.links) - sizeof(machine.links[0]));
	machine.links[0] = fd;
	return fd;
}

/* A card has another place. */
static void links_changed(void)
{
	const uint64_t one = 1;

	for (unsigned i = 0; i < LINK_PLACES; i++)
		if (machine.links[i] > 0)
			(void)!write(machine.links[i], &one, sizeof(one));
}

int rtnl_rules_open(int nsfd, int homefd, struct err *e)
{
	(void)nsfd, (void)homefd;
	return open_one("hear of rules", e);
}

bool rtnl_monitor(int fd, void (*each)(void *ctx, const char *device), void *ctx, bool *lost)
{
	uint64_t n;

	(void)each, (void)ctx;
	*lost = true;
	return read(fd, &n, sizeof(n)) == sizeof(n);
}

/* ---- rules ----------------------------------------------------------------------------------- */

int deny_base_load_here(bool *ret_adopted, struct err *e)
{
	if (machine_call("deny base", e) < 0)
		return e->code;
	*ret_adopted = machine.base;
	machine.base = true;
	return 0;
}

int deny_base_load_by(int fd, bool *ret_adopted, struct err *e)
{
	(void)fd;
	return deny_base_load_here(ret_adopted, e);
}

int forwarding_open(struct forwarding *f, struct err *e)
{
	(void)e;
	*f = (struct forwarding){ -1, -1 };
	return 0;
}

void forwarding_close(struct forwarding *f)
{
	(void)f;
}

int forwarding_set(const struct forwarding *f, bool on, struct err *e)
{
	(void)f;
	if (!on && machine.stuck)
		return err_set(e, -EIO, "turn forwarding off");
	machine.forwarding = on;
	return 0;
}

bool forwarding_is_on(const struct forwarding *f)
{
	(void)f;
	return machine.forwarding;
}

int ends_stand(struct netlink *n, bool *ret, struct err *e)
{
	(void)n;
	*ret = machine.ends_stand;
	return machine_call("look for ends", e);
}

int home_rules_set(const char *const *cards, size_t n, struct err *e)
{
	(void)cards, (void)n;
	return machine_call("rules of the first namespace", e);
}

int box_admin_rules_base(const struct box_spaces *s, struct err *e)
{
	(void)s;
	return machine_call("rules of the admin namespace", e);
}

int box_admin_rules_read(const struct box_spaces *s, const struct ir *ir, admin_rules_each *each, void *ctx,
			 struct admin_rules_seen *ret, struct err *e)
{
	(void)s, (void)ir, (void)each, (void)ctx;
	*ret = (struct admin_rules_seen){ .there = true };
	return machine_call("read the rules of the admin namespace", e);
}

void capacity_raise(const char *settings)
{
	(void)settings;
}

/* ---- cards ----------------------------------------------------------------------------------- */

bool box_has(const struct box_spaces *s, const char *device)
{
	const struct card *c = machine_card(device);

	(void)s;
	return c != NULL && c->place != CARD_HOME;
}

static int no_card(const struct ir_interface *i, struct err *e)
{
	return err_set(e, -ENODEV, "interface %s (%s): No such device", i->name, i->device);
}

int box_claim(const struct box_spaces *s, const struct ir *ir, box_stays *stays, const void *ctx, bool *moved,
	      struct err *e)
{
	int r = 0;

	(void)s;
	memset(moved, 0, ir->n_interfaces * sizeof(*moved));
	for (uint32_t i = 0; i < ir->n_interfaces; i++) {
		struct card *c = machine_card(ir_card(&ir->interfaces[i]));

		if (c == NULL)
			r = no_card(&ir->interfaces[i], e);
		else if (c->place == CARD_HOME && stays != NULL && stays(ctx, c->name))
			continue;
		else if (machine_call("move a card", e) < 0)
			r = e->code;
		else {
			moved[i] = c->place == CARD_HOME;
			c->place = ir->interfaces[i].admin ? CARD_ADMIN : CARD_DATA;
		}
	}
	return r;
}

void box_unclaim(const struct box_spaces *s, const struct ir *ir)
{
	(void)s, (void)ir;
}

int box_try(const struct box_spaces *s, const struct ir *ir, struct err *e)
{
	(void)s;
	for (uint32_t i = 0; i < ir->n_interfaces; i++)
		if (machine_card(ir_card(&ir->interfaces[i])) == NULL)
			return no_card(&ir->interfaces[i], e);
	return machine_call("try the cards", e);
}

int scratch_try(const struct box_spaces *s, const struct box_spaces *scratch, const struct ir *ir, struct err *e)
{
	(void)s, (void)scratch, (void)ir;
	return machine_call("try the addresses", e);
}

int box_set(const struct box_spaces *s, const struct ir *ir, const struct ir *before, struct err *e)
{
	(void)before;
	for (uint32_t i = 0; i < ir->n_interfaces; i++)
		if (!box_has(s, ir_card(&ir->interfaces[i])))
			return no_card(&ir->interfaces[i], e);
	return machine_call("set addresses", e);
}

int box_compare(const struct box_spaces *s, const struct ir *ir, bool mend, box_difference *each, void *ctx,
		struct err *e)
{
	(void)mend;
	for (uint32_t i = 0; i < ir->n_interfaces; i++)
		if (!box_has(s, ir_card(&ir->interfaces[i])))
			each(ctx, ir->interfaces[i].name, "gone", ir_card(&ir->interfaces[i]));
	return machine_call("compare the network", e);
}

int box_indexes(const struct box_spaces *s, const struct ir *ir, uint32_t *ret, struct err *e)
{
	for (uint32_t i = 0; i < ir->n_interfaces; i++)
		ret[i] = box_has(s, ir_card(&ir->interfaces[i])) ? 10 + i : 0;
	return machine_call("number the interfaces", e);
}

int box_interfaces(const struct box_spaces *s, const struct ir *ir, box_interface *each, void *ctx, struct err *e)
{
	(void)s;
	for (uint32_t i = 0; i < ir->n_interfaces; i++)
		each(ctx, &ir->interfaces[i], NULL, NULL, "");
	return machine_call("look at the interfaces", e);
}

int box_answering(const struct box_spaces *s, const struct ir *ir, box_answered *each, void *ctx, struct err *e)
{
	(void)s, (void)ir, (void)each, (void)ctx;
	return machine_call("for whom the kernel answers", e);
}

uint64_t box_refused(const struct box_spaces *s, const char *card)
{
	(void)s, (void)card;
	return 0;
}

int box_loopback(const struct box_spaces *s, struct err *e)
{
	(void)s;
	return machine_call("loopback", e);
}

int box_announce(const struct box_spaces *s, const struct ir *ir, const struct ir_interface *i, const struct device *d,
		 struct err *e)
{
	(void)s, (void)ir, (void)i, (void)d, (void)e;
	return 0;
}

int outside_look(const struct box_spaces *s, const struct ir *ir, box_difference *each, void *ctx, struct err *e)
{
	(void)s, (void)ir, (void)each, (void)ctx;
	return machine_call("look for what is beside our rules", e);
}

bool vlans_first(const struct ir *ir, uint32_t n)
{
	(void)ir, (void)n;
	return true; /* no policy of these tests has VLANs */
}

int box_hold(const struct box_spaces *s, const char *device, struct err *e)
{
	struct card *c = machine_card(device);

	(void)s;
	if (machine_call("hold a card", e) < 0)
		return e->code;
	if (c != NULL && c->place == CARD_HOME)
		c->place = CARD_DATA;
	return 0;
}

bool device_at_home(const struct box_spaces *s, const char *device)
{
	const struct card *c = machine_card(device);

	(void)s;
	return c != NULL && c->place == CARD_HOME;
}

json_t *home_sessions_read(const struct box_spaces *s, const char *device, uint64_t *more, struct err *e)
{
	const struct card *c = machine_card(device);

	(void)s;
	*more = 0;
	if (machine_call("whose sessions ride on a card", e) < 0)
		return NULL;
	return c != NULL && c->ridden ? json_pack("[{s:s, s:s}]", "local", "192.0.2.1:22", "peer", "192.0.2.7:50412")
				      : json_array();
}

/* ---- what a card was ------------------------------------------------------------------------- */

json_t *loan_read(const struct box_spaces *s, const char *device, struct err *e)
{
	const struct card *c = machine_card(device);
	struct err own = { 0 };

	(void)s;
	e = e != NULL ? e : &own;
	if (c == NULL || c->place != CARD_HOME) {
		err_set(e, -ENODEV, "%s", device);
		return NULL;
	}
	if (machine_call("what a card was", e) < 0)
		return NULL;
	return json_pack("{s:s, s:[{s:s, s:b}]}", "boot", machine.boot, "links", "name", c->name, "up", 1);
}

bool loan_bare(const json_t *picture)
{
	return !json_is_true(json_object_get(json_array_get(json_object_get(picture, "links"), 0), "up"));
}

json_t *loan_give_back(const struct box_spaces *s, const json_t *wanted)
{
	json_t *reports = json_array(), *picture;
	const char *device;

	(void)s;
	json_object_foreach((json_t *)(uintptr_t)wanted, device, picture) {
		struct card *c = machine_card(device);
		bool was_here = c != NULL && c->place == CARD_HOME, stuck = machine_call("give a card back", NULL) < 0;

		if (c != NULL && !stuck) {
			c->place = CARD_HOME;
			links_changed();
		}
		json_array_append_new(reports, json_pack("{s:s, s:s, s:b, s:i, s:[], s:[], s:b}", "device", device,
							 "now", c != NULL ? device : "", "was_here", (int)was_here,
							 "facts", 1, "expired", "lost", "stuck", (int)stuck));
	}
	return reports;
}

bool loan_stuck(const json_t *reports, const char *device)
{
	for (size_t i = 0; i < json_array_size(reports); i++) {
		const json_t *r = json_array_get(reports, i);

		if (strcmp(json_string_value(json_object_get(r, "device")), device) == 0)
			return json_is_true(json_object_get(r, "stuck"));
	}
	return false;
}

void loan_boot_id(char out[LOAN_BOOT_ID])
{
	snprintf(out, LOAN_BOOT_ID, "%s", machine.boot);
}
