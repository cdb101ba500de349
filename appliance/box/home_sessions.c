/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "appliance/box/box.h"
#include "appliance/box/home_sessions.h"
#include "appliance/box/loan_private.h"
#include "appliance/box/rtnl_address.h"

struct looking {
	struct rtnl *home;
	struct devices *all;
	const struct device *links[LOAN_LINKS];
	size_t n_links;
	struct rtnl_address *addresses; /* of the namespace; owned */
	size_t n_addresses;
	json_t *list;
	uint64_t more;
};

bool device_at_home(const struct box_spaces *s, const char *device)
{
	struct rtnl *home = rtnl_open(s->home, s->home, NULL);
	struct device l;
	bool there = home != NULL && rtnl_link_get(home, device, &l, NULL) == 0;

	rtnl_close(home);
	return there && !box_has(s, device);
}

/* Whether the device, or one above it, has that number. */
static bool is_link(const struct looking *x, uint32_t index)
{
	for (size_t i = 0; i < x->n_links; i++)
		if (x->links[i]->index == index)
			return true;
	return false;
}

static bool rides(const struct looking *x, const struct home_session *s)
{
	uint32_t oif = 0;
	bool own = false;

	/* The peer is an address of this machine, so no packet leaves it. */
	if (rtnl_way(x->home, &s->peer, &s->local, &oif, &own) == 0 && own)
		return false;
	for (size_t i = 0; i < x->n_addresses; i++)
		if (is_link(x, x->addresses[i].index) && addr_cmp(&x->addresses[i].addr, &s->local) == 0)
			return true;
	return is_link(x, oif);
}

static int read_table(struct looking *x, const char *path, struct err *e)
{
	FILE *f = fopen(path, "re");
	char line[512];
	struct home_session s;
	bool whole;

	if (f == NULL)
		return err_set(e, -errno, "open %s", path);
	while (fgets(line, sizeof(line), f) != NULL) {
		if (!home_session_read(line, &s) || !rides(x, &s))
			continue;
		if (json_array_size(x->list) == HOME_SESSIONS_TOLD)
			x->more++;
		else
			json_array_append_new(x->list,
					      json_pack("{s:o, s:o}", "local", json_endpoint(&s.local, s.local_port),
							"peer", json_endpoint(&s.peer, s.peer_port)));
	}
	whole = ferror(f) == 0;
	fclose(f);
	return whole ? 0 : err_set(e, -EIO, "read %s", path);
}

json_t *home_sessions_read(const struct box_spaces *s, const char *device, uint64_t *more, struct err *e)
{
	struct looking x = { .all = calloc(1, sizeof(*x.all)), .list = json_array() };
	const struct device *d;
	int r = x.all == NULL ? err_set(e, -ENOMEM, "device %s", device) : 0;

	x.home = r == 0 ? rtnl_open(s->home, s->home, e) : NULL;
	if (x.home == NULL)
		r = -ENOMEM;
	if (r == 0)
		r = devices_read(x.home, x.all, e);
	d = r == 0 ? devices_find(x.all, device) : NULL;
	if (d != NULL) {
		x.n_links = loan_above(x.all, d, x.links);
		r = rtnl_addresses(x.home, 0, &x.addresses, &x.n_addresses, e);
	}
	if (r == 0 && d != NULL)
		r = read_table(&x, "/proc/self/net/tcp", e);
	if (r == 0 && d != NULL && access("/proc/sys/net/ipv6", F_OK) == 0)
		r = read_table(&x, "/proc/self/net/tcp6", e);
	*more = x.more;
	rtnl_close(x.home);
	free(x.addresses);
	free(x.all);
	if (r < 0) {
		json_decref(x.list);
		return NULL;
	}
	return x.list;
}
