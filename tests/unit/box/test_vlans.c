/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cards that carry VLANs, with an array of cards as the kernel: the gate comes first, then each
 * card that can be set, even if another one fails.
 *
 * LINK: appliance/box/vlans.c appliance/box/facts.c appliance/base/addr.c appliance/base/err.c
 */
#include "appliance/box/rtnl_address.h"
#include "tests/unit/cmocka.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/box/box_private.h"
#include "appliance/box/netns.h"
#include "appliance/box/rtnl_private.h"
#include "appliance/kernel/small_tables.h"

/* ---- the kernel's part ----------------------------------------------------------------------- */

struct card {
	const char *name;
	struct device link;
};

struct rtnl {
	struct card cards[3]; /* index of a link: its place in this array + 1 */
	size_t n;
};

static int gate_status;	 /* what the kernel answers about the gate */
static size_t gate_n;	 /* VLANs in it */
static bool heard_early; /* a card came up before the gate was there */
static const char *loud; /* the card on which IPv6 cannot be turned off */

int rtnl_link_get(struct rtnl *k, const char *device, struct device *ret, struct err *e)
{
	for (size_t i = 0; i < k->n; i++)
		if (strcmp(k->cards[i].name, device) == 0) {
			*ret = k->cards[i].link;
			ret->index = (uint32_t)i + 1;
			return 0;
		}
	return err_set(e, -ENODEV, "device %s", device);
}

/* Like do_setlink: if the card refuses the MTU, nothing else is changed either. */
int rtnl_link_set(struct rtnl *k, uint32_t index, bool up, uint32_t mtu, struct err *e)
{
	struct device *l = &k->cards[index - 1].link;

	if (mtu > l->mtu_max)
		return err_set(e, -EINVAL, "set its MTU to %u", mtu);
	l->mtu = mtu != 0 ? mtu : l->mtu;
	l->up = up;
	heard_early = heard_early || gate_n == 0;
	return 0;
}

int trunk_gate_set(const struct trunk_vlan *list, size_t n, bool dry, plain_note *note, void *ctx, struct err *e)
{
	(void)list;
	(void)dry;
	(void)note;
	(void)ctx;
	if (gate_status < 0)
		return err_set(e, gate_status, "gate");
	gate_n = n;
	return 0;
}

int rtnl_addresses(struct rtnl *k, uint32_t index, struct rtnl_address **ret, size_t *ret_n, struct err *e)
{
	(void)k;
	(void)index;
	(void)e;
	*ret = NULL;
	*ret_n = 0;
	return 0;
}

int netns_enter(int nsfd, struct err *e)
{
	(void)nsfd;
	(void)e;
	return 0;
}

void netns_return(int nsfd)
{
	(void)nsfd;
}

int netns_sysctl(const char *name, const char *value, struct err *e)
{
	(void)value;
	return loud != NULL && strstr(name, loud) != NULL ? err_set(e, -EROFS, "write %s", name) : 0;
}

/* Functions that make and remove VLANs use these; these cases do not. */

int devices_read(struct rtnl *k, struct devices *ret, struct err *e)
{
	(void)k;
	ret->n = 0;
	return err_set(e, -ENOSYS, "devices");
}

const struct device *devices_find(const struct devices *d, const char *name)
{
	(void)d;
	(void)name;
	return NULL;
}

const struct device *devices_at(const struct devices *d, uint32_t index)
{
	(void)d;
	(void)index;
	return NULL;
}

bool device_lies_on(const struct device *d, uint32_t index, int32_t nsid)
{
	(void)d;
	return index == 0 && nsid < -1;
}

int32_t rtnl_nsid(struct rtnl *k, int nsfd)
{
	(void)k;
	return nsfd < 0 ? nsfd : -1;
}

bool rtnl_told(const struct rtnl *k, const char *what, const char *detail)
{
	(void)k;
	return what != detail;
}

struct rtnl *rtnl_open(int nsfd, int homefd, struct err *e)
{
	err_set(e, -ENOSYS, "%d %d", nsfd, homefd);
	return NULL;
}

void rtnl_close(struct rtnl *k)
{
	assert_null(k);
}

int rtnl_link_vlan(struct rtnl *k, const char *device, uint32_t on, uint16_t vlan, bool ours, struct err *e)
{
	(void)k;
	return err_set(e, -ENOSYS, "%s %u %u %d", device, on, vlan, ours);
}

int rtnl_link_move(struct rtnl *k, uint32_t index, int to_nsfd, const char *name, struct err *e)
{
	(void)k;
	return err_set(e, -ENOSYS, "%u %d %s", index, to_nsfd, name);
}

int rtnl_link_delete(struct rtnl *k, uint32_t index, struct err *e)
{
	(void)k;
	return err_set(e, -ENOSYS, "%u", index);
}

uint64_t trunk_gate_refused(const char *card)
{
	return strlen(card);
}

int rtnl_address_change(struct rtnl *k, uint32_t index, const struct addr *a, uint8_t prefix, bool add, struct err *e)
{
	(void)k;
	(void)a;
	return err_set(e, -ENOSYS, "%u %u %d", index, prefix, add);
}

int rtnl_routes(struct rtnl *k, enum rtnl_whose whose, struct rtnl_route **ret, size_t *ret_n, struct err *e)
{
	(void)k;
	*ret = NULL;
	*ret_n = 0;
	return err_set(e, -ENOSYS, "%d", (int)whose);
}

int rtnl_route_change(struct rtnl *k, const struct rtnl_route *route, bool add, struct err *e)
{
	(void)k;
	return err_set(e, -ENOSYS, "%u %d", route->prefix, add);
}

/* ---- cases ----------------------------------------------------------------------------------- */

static struct ir_interface on_card(const char *name, const char *card, uint16_t vlan, uint32_t mtu)
{
	return (struct ir_interface){ .name = name, .device = name, .card = card, .vlan = vlan, .mtu = mtu };
}

/* Three cards. The first was exchanged, and accepts no frames as large as box.cfg says. */
static int set(struct rtnl *data, struct err *e)
{
	struct ir_interface list[] = { on_card("lan0", "eth0", 10, 9000), on_card("lan1", "eth1", 10, 9000),
				       on_card("lan2", "eth1", 20, 0), on_card("lan3", "eth2", 30, 0),
				       on_card("lan4", "gone", 40, 0) };
	struct ir ir = { .interfaces = list, .n_interfaces = sizeof(list) / sizeof(*list) };
	const struct box_spaces s = { 0 };
	const struct handles p = { .s = &s, .data = data };

	*data = (struct rtnl){ { { "eth0", { .mtu = 1500, .mtu_max = 1500 } },
				 { "eth1", { .mtu = 1500, .mtu_max = 9200 } },
				 { "eth2", { .mtu = 1500, .mtu_max = 9200 } } },
			       3 };
	gate_n = 0;
	heard_early = false;
	return vlans_cards(&p, &ir, false, NULL, NULL, e);
}

static void one_that_fails_keeps_no_other_down(void **state)
{
	struct rtnl data;
	struct err e = { 0 };

	(void)state;
	gate_status = 0;
	assert_int_equal(set(&data, &e), -EINVAL);
	assert_int_equal(e.code, -EINVAL);
	assert_non_null(strstr(e.text, "eth0"));
	assert_non_null(strstr(e.text, "MTU to 9000"));
	assert_false(data.cards[0].link.up);
	assert_true(data.cards[1].link.up);
	assert_int_equal(data.cards[1].link.mtu, 9000);
	assert_true(data.cards[2].link.up);
	assert_int_equal(data.cards[2].link.mtu, 1500);
	assert_int_equal(gate_n, 4);
	assert_false(heard_early);
}

/* A card that cannot be silenced stays down, because it would answer; the others come up. */
static void one_that_is_not_silent_stays_down(void **state)
{
	struct rtnl data;
	struct err e = { 0 };

	(void)state;
	gate_status = 0;
	loud = "eth1";
	assert_true(set(&data, &e) < 0);
	assert_false(data.cards[1].link.up);
	assert_true(data.cards[2].link.up);
	assert_int_equal(gate_n, 4);
	loud = "eth2";
	assert_true(set(&data, &e) < 0);
	assert_true(data.cards[1].link.up);
	assert_false(data.cards[2].link.up);
	loud = NULL;
}

static void without_the_gate_none_is_up(void **state)
{
	struct rtnl data;
	struct err e = { 0 };

	(void)state;
	gate_status = -ENOBUFS;
	assert_int_equal(set(&data, &e), -ENOBUFS);
	for (size_t i = 0; i < data.n; i++)
		assert_false(data.cards[i].link.up);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_that_fails_keeps_no_other_down),
		cmocka_unit_test(one_that_is_not_silent_stays_down),
		cmocka_unit_test(without_the_gate_none_is_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
