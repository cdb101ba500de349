/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Differences of addresses and routes, with two arrays as the kernel: what stays is never touched,
 * new ones are added before old ones are removed, and the result is exactly what the generation
 * says.
 *
 * LINK: appliance/box/facts.c appliance/base/addr.c appliance/base/err.c
 */
#include "appliance/box/rtnl_address.h"
#include "tests/unit/cmocka.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/box/box_private.h"

/* ---- the kernel's part ----------------------------------------------------------------------- */

struct rtnl {
	struct rtnl_address a[16];
	size_t n_a;
	struct rtnl_route r[16], floors[16];
	size_t n_floors;
	size_t n_r;
	char log[1024]; /* the changes in order: "+10.0.0.1/24 -..." */
	bool refuse;
	const char *refuse_route; /* to there: "10.5.0.0" */
	const char *gone;	  /* a device that does not exist */
};

static void note(struct rtnl *k, bool add, const struct addr *a, unsigned prefix)
{
	char text[ADDR_TEXT];
	size_t n = strlen(k->log);

	addr_text(a, text);
	snprintf(k->log + n, sizeof(k->log) - n, "%s%s%s/%u", n > 0 ? " " : "", add ? "+" : "-", text, prefix);
}

static void *copy(const void *p, size_t n)
{
	void *c = malloc(n > 0 ? n : 1);

	assert_non_null(c);
	if (n > 0)
		memcpy(c, p, n);
	return c;
}

int rtnl_addresses(struct rtnl *k, uint32_t index, struct rtnl_address **ret, size_t *ret_n, struct err *e)
{
	(void)index;
	(void)e;
	*ret = copy(k->a, k->n_a * sizeof(*k->a));
	*ret_n = k->n_a;
	return 0;
}

int rtnl_address_change(struct rtnl *k, uint32_t index, const struct addr *a, uint8_t prefix, bool add, struct err *e)
{
	(void)index;
	if (k->refuse)
		return err_set(e, -EINVAL, "refused");
	note(k, add, a, prefix);
	for (size_t i = 0; i < k->n_a; i++)
		if (addr_cmp(&k->a[i].addr, a) == 0 && (k->a[i].prefix == prefix || (add && a->family == 6))) {
			if (add)
				return err_set(e, -EEXIST, "address");
			k->a[i] = k->a[--k->n_a];
			return 0;
		}
	if (!add)
		return err_set(e, -EADDRNOTAVAIL, "address");
	k->a[k->n_a++] = (struct rtnl_address){ .addr = *a, .prefix = prefix };
	return 0;
}

int rtnl_routes(struct rtnl *k, enum rtnl_whose whose, struct rtnl_route **ret, size_t *ret_n, struct err *e)
{
	struct rtnl_route list[64];

	(void)e;
	*ret_n = 0;
	for (size_t i = 0; i < k->n_r; i++)
		if (whose == ROUTES_SET || !k->r[i].foreign)
			list[(*ret_n)++] = k->r[i];
	for (size_t i = 0; i < k->n_floors; i++)
		list[(*ret_n)++] = k->floors[i];
	*ret = copy(list, *ret_n * sizeof(*list));
	return 0;
}

/* Floors are counted apart from the routes, whose order the cases check. */
static int floor_change(struct rtnl *k, const struct rtnl_route *route, bool add)
{
	size_t i = 0;

	assert_int_equal(route->type, RTN_UNREACHABLE);
	while (i < k->n_floors && (addr_cmp(&k->floors[i].to, &route->to) != 0 || k->floors[i].prefix != route->prefix))
		i++;
	assert_true(add == (i == k->n_floors));
	assert_true(i < sizeof(k->floors) / sizeof(k->floors[0]));
	if (add)
		k->floors[k->n_floors++] = *route;
	else
		k->floors[i] = k->floors[--k->n_floors];
	return 0;
}

static struct rtnl_route in_kernel(struct rtnl_route r)
{
	r.type = r.type != 0 ? r.type : RTN_UNICAST;
	return r;
}

int rtnl_route_change(struct rtnl *k, const struct rtnl_route *route, bool add, struct err *e)
{
	char text[ADDR_TEXT];

	if (route->priority > UINT32_MAX / 2)
		return floor_change(k, route, add);
	addr_text(&route->to, text);
	if (k->refuse_route != NULL && strcmp(text, k->refuse_route) == 0)
		return err_set(e, -ENETUNREACH, "route to %s", text);
	note(k, add, &route->to, route->prefix);
	for (size_t i = 0; i < k->n_r; i++)
		if (addr_cmp(&k->r[i].to, &route->to) == 0 && k->r[i].prefix == route->prefix &&
		    k->r[i].foreign == route->foreign) {
			if (add)
				k->r[i] = in_kernel(*route);
			else
				k->r[i] = k->r[--k->n_r];
			return 0;
		}
	k->r[k->n_r++] = in_kernel(*route);
	return 0;
}

int rtnl_link_get(struct rtnl *k, const char *device, struct device *ret, struct err *e)
{
	*ret = (struct device){ 0 };
	if (k->gone != NULL && strcmp(device, k->gone) == 0)
		return err_set(e, -ENODEV, "device %s", device);
	*ret = (struct device){ .index = (uint32_t)strlen(device) };
	return 0;
}

/* ---- helpers --------------------------------------------------------------------------------- */

static struct addr at(const char *text)
{
	struct addr a;

	assert_true(addr_parse(text, &a));
	return a;
}

static void have(struct rtnl *k, const char *text, uint8_t prefix, bool unusable)
{
	k->a[k->n_a++] = (struct rtnl_address){ .addr = at(text), .prefix = prefix, .unusable = unusable };
}

static void want(struct rtnl *k, size_t n, const char *const *texts, const uint8_t *prefixes)
{
	struct addr list[8];
	uint8_t lengths[8];
	struct ir_interface i = { .name = "lan0", .device = "eth0", .addresses = list, .prefix_lengths = lengths };
	struct err e = { 0 };

	for (size_t k2 = 0; k2 < n; k2++) {
		list[k2] = at(texts[k2]);
		lengths[k2] = prefixes[k2];
	}
	i.n_addresses = (uint32_t)n;
	assert_int_equal(box_addresses(k, 2, &i, &e), 0);
	for (size_t k2 = 0; k2 < n; k2++) {
		bool there = false;

		for (size_t m = 0; m < k->n_a; m++)
			there |= addr_cmp(&k->a[m].addr, &list[k2]) == 0 && k->a[m].prefix == lengths[k2] &&
				 !k->a[m].unusable;
		assert_true(there);
	}
}

/* ---- addresses ------------------------------------------------------------------------------- */

static void what_stays_is_not_touched(void **state)
{
	struct rtnl k = { 0 };

	(void)state;
	have(&k, "10.0.0.1", 24, false);
	have(&k, "2001:db8::1", 64, false);
	want(&k, 2, (const char *const[]){ "10.0.0.1", "2001:db8::1" }, (const uint8_t[]){ 24, 64 });
	assert_string_equal(k.log, "");
}

static void new_stands_before_old_goes(void **state)
{
	struct rtnl k = { 0 };

	(void)state;
	have(&k, "10.0.0.1", 24, false);
	want(&k, 1, (const char *const[]){ "10.0.0.2" }, (const uint8_t[]){ 24 });
	assert_string_equal(k.log, "+10.0.0.2/24 -10.0.0.1/24");
}

static void prefix_change_goes_first(void **state)
{
	struct rtnl k = { 0 };

	(void)state;
	have(&k, "2001:db8::1", 64, false);
	have(&k, "10.0.0.1", 24, false);
	want(&k, 2, (const char *const[]){ "2001:db8::1", "10.0.0.1" }, (const uint8_t[]){ 56, 24 });
	assert_string_equal(k.log, "-2001:db8::1/64 +2001:db8::1/56");
}

static void unusable_address_is_made_anew(void **state)
{
	struct rtnl k = { 0 };

	(void)state;
	have(&k, "2001:db8::1", 64, true);
	want(&k, 1, (const char *const[]){ "2001:db8::1" }, (const uint8_t[]){ 64 });
	assert_string_equal(k.log, "-2001:db8::1/64 +2001:db8::1/64");
}

static void link_local_is_the_kernels(void **state)
{
	struct rtnl k = { 0 };

	(void)state;
	have(&k, "fe80::1", 64, false);
	k.a[0].link_local = true;
	want(&k, 0, NULL, NULL);
	assert_string_equal(k.log, "");
}

static void refusal_is_reported(void **state)
{
	struct addr a = at("10.0.0.1");
	uint8_t length = 24;
	struct ir_interface i = { .addresses = &a, .prefix_lengths = &length, .n_addresses = 1 };
	struct rtnl k = { .refuse = true };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(box_addresses(&k, 2, &i, &e), -EINVAL);
}

/* ---- routes ---------------------------------------------------------------------------------- */

static struct addr_range net(const char *text)
{
	struct addr_range r;
	bool stray;

	assert_true(prefix_parse(text, &r, &stray));
	return r;
}

static void routes_by_difference(void **state)
{
	struct addr box = at("10.0.0.1"), adm = at("10.99.0.1");
	uint8_t length = 24;
	struct ir_interface i[2] = {
		{ .name = "lan0", .device = "eth0", .addresses = &box, .prefix_lengths = &length, .n_addresses = 1 },
		{ .name = "adm0",
		  .device = "eth9",
		  .admin = true,
		  .addresses = &adm,
		  .prefix_lengths = &length,
		  .n_addresses = 1 },
	};
	struct ir_route r[3] = {
		{ .to = net("10.5.0.0/16"), .via = at("10.0.0.9"), .interface = UINT32_MAX },
		{ .to = net("0.0.0.0/0"), .via = at("10.0.0.254"), .interface = 0 },
		{ .to = net("192.0.2.0/24"), .via = at("10.99.0.7"), .interface = UINT32_MAX },
	};
	struct ir ir = { .interfaces = i, .n_interfaces = 2, .routes = r, .n_routes = 3 };
	struct rtnl data = { 0 }, admin = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_false(box_route_is_admin(&ir, &r[0]));
	assert_false(box_route_is_admin(&ir, &r[1]));
	assert_true(box_route_is_admin(&ir, &r[2]));
	assert_int_equal(box_routes(&data, &ir, false, &e), 0);
	assert_int_equal(box_routes(&admin, &ir, true, &e), 0);
	assert_string_equal(data.log, "+10.5.0.0/16 +0.0.0.0/0");
	assert_string_equal(admin.log, "+192.0.2.0/24");
	/* The kernel states the interface of a route that was set with a gateway only: it is still
	 * the same route. */
	data.r[0].oif = 4;
	data.log[0] = 0;
	assert_int_equal(box_routes(&data, &ir, false, &e), 0);
	assert_string_equal(data.log, "");
	/* Another gateway: the route is replaced in one step, so that there is always one. */
	r[0].via = at("10.0.0.8");
	assert_int_equal(box_routes(&data, &ir, false, &e), 0);
	assert_string_equal(data.log, "+10.5.0.0/16");
	assert_int_equal(data.n_r, 2);
	data.log[0] = 0;
	ir.n_routes = 1;
	assert_int_equal(box_routes(&data, &ir, false, &e), 0);
	assert_string_equal(data.log, "-0.0.0.0/0");
}

/* In the data namespace no other program may set routes, with any metric or of any kind: they are
 * removed. Elsewhere they stay. */
static void routes_of_others_go(void **state)
{
	struct addr box = at("10.0.0.1");
	uint8_t length = 24;
	struct ir_interface i = {
		.name = "lan0", .device = "eth0", .addresses = &box, .prefix_lengths = &length, .n_addresses = 1
	};
	struct ir_route r = { .to = net("10.5.0.0/16"), .via = at("10.0.0.9"), .interface = UINT32_MAX };
	struct ir ir = { .interfaces = &i, .n_interfaces = 1, .routes = &r, .n_routes = 1 };
	const struct rtnl_route others[] = {
		{ .to = at("10.5.0.0"), .prefix = 16, .via = at("10.0.0.66"), .priority = 1 },
		{ .to = at("10.6.0.0"), .prefix = 16, .oif = 4 },
		{ .to = at("10.5.0.0"), .prefix = 16, .type = RTN_BLACKHOLE, .priority = 2 },
		/* A route that is not equal to ours: most packets would have no route. */
		{ .to = at("10.5.0.0"), .prefix = 16, .via = at("10.0.0.9"), .tos = 0x10 },
		/* A route that the kernel would use before ours is not equal to it either. */
		{ .to = at("10.5.0.0"), .prefix = 16, .via = at("10.0.0.9"), .table = RT_TABLE_LOCAL },
	};
	struct err e = { 0 };

	(void)state;
	for (size_t n = 0; n < sizeof(others) / sizeof(others[0]); n++) {
		struct rtnl k = { 0 };

		assert_int_equal(box_routes(&k, &ir, false, &e), 0);
		k.r[k.n_r] = in_kernel(others[n]);
		k.r[k.n_r++].foreign = true;
		k.log[0] = 0;
		assert_int_equal(box_routes(&k, &ir, false, &e), 0);
		assert_int_equal(k.n_r, 1);
		assert_false(k.r[0].foreign);
		/* A route that is equal to ours is not changed. */
		k.r[0].foreign = true;
		k.log[0] = 0;
		assert_int_equal(box_routes(&k, &ir, false, &e), 0);
		assert_string_equal(k.log, "");
		/* In the admin namespace routes of others are not even checked. */
		k.r[0].via = at("10.0.0.77");
		assert_int_equal(box_routes(&k, &ir, true, &e), 0);
		assert_string_equal(k.log, "");
	}
}

/* The device of one route is missing: the other routes are set, and foreign changes to them are
 * corrected. */
static void routes_beside_a_device_that_is_gone(void **state)
{
	struct addr one = at("10.0.0.1"), two = at("10.1.0.1");
	uint8_t length = 24;
	struct ir_interface i[2] = {
		{ .name = "crane", .device = "eth0", .addresses = &one, .prefix_lengths = &length, .n_addresses = 1 },
		{ .name = "tos", .device = "wan0", .addresses = &two, .prefix_lengths = &length, .n_addresses = 1 },
	};
	struct ir_route r[3] = {
		{ .to = net("10.5.0.0/16"), .via = at("10.0.0.9"), .interface = UINT32_MAX },
		{ .to = net("10.6.0.0/16"), .via = at("10.0.0.9"), .interface = 0 },
		{ .to = net("10.7.0.0/16"), .via = at("10.1.0.9"), .interface = UINT32_MAX },
	};
	struct ir ir = { .interfaces = i, .n_interfaces = 2, .routes = r, .n_routes = 3 };
	struct rtnl k = { .gone = "eth0" };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(box_routes(&k, &ir, false, &e), 0);
	assert_string_equal(k.log, "+10.7.0.0/16");
	k.r[k.n_r++] = (struct rtnl_route){ .to = at("10.8.0.0"), .prefix = 16, .type = RTN_UNICAST, .foreign = true };
	k.log[0] = 0;
	assert_int_equal(box_routes(&k, &ir, false, &e), 0);
	assert_string_equal(k.log, "-10.8.0.0/16");
	/* The device comes back, and its routes are set. */
	k.gone = NULL;
	k.log[0] = 0;
	assert_int_equal(box_routes(&k, &ir, false, &e), 0);
	assert_string_equal(k.log, "+10.5.0.0/16 +10.6.0.0/16");
}

static bool has_floor(const struct rtnl *k, const char *to, uint8_t prefix)
{
	struct addr a = at(to);

	for (size_t i = 0; i < k->n_floors; i++)
		if (addr_cmp(&k->floors[i].to, &a) == 0 && k->floors[i].prefix == prefix)
			return true;
	return false;
}

/* Below each route except the default route there is an unreachable route: when a route disappears
 * with its device, no larger route takes its packets. */
static void floors_below_ways(void **state)
{
	struct addr one[2] = { at("10.0.0.1"), at("2001:db8:10::1") }, adm = at("10.99.0.1");
	uint8_t lengths[2] = { 24, 61 }, length = 24;
	struct ir_interface i[2] = {
		{ .name = "lan0", .device = "eth0", .addresses = one, .prefix_lengths = lengths, .n_addresses = 2 },
		{ .name = "adm0",
		  .device = "eth9",
		  .admin = true,
		  .addresses = &adm,
		  .prefix_lengths = &length,
		  .n_addresses = 1 },
	};
	struct ir_route r[4] = {
		{ .to = net("10.5.0.0/16"), .via = at("10.0.0.9"), .interface = UINT32_MAX },
		{ .to = net("10.7.0.9/32"), .interface = 0 },
		{ .to = net("0.0.0.0/0"), .via = at("10.0.0.9"), .interface = 0 },
		{ .to = net("192.0.2.0/24"), .via = at("10.99.0.7"), .interface = UINT32_MAX },
	};
	struct ir ir = { .interfaces = i, .n_interfaces = 2, .routes = r, .n_routes = 4 };
	struct rtnl k = { .gone = "eth0" }, admin = { 0 };

	(void)state;
	assert_int_equal(box_routes(&k, &ir, false, NULL), 0);
	assert_int_equal(k.n_r, 0);
	assert_int_equal(k.n_floors, 4);
	assert_true(has_floor(&k, "10.0.0.0", 24) && has_floor(&k, "2001:db8:10::", 61));
	assert_true(has_floor(&k, "10.5.0.0", 16) && has_floor(&k, "10.7.0.9", 32));
	k.gone = NULL;
	/* a change of an existing floor would fail in floor_change */
	assert_int_equal(box_routes(&k, &ir, false, NULL), 0);
	assert_int_equal(k.n_r, 3);
	ir.n_routes = 1;
	assert_int_equal(box_routes(&k, &ir, false, NULL), 0);
	assert_int_equal(k.n_floors, 3);
	assert_int_equal(k.n_r, 1);
	assert_int_equal(box_routes(&admin, &ir, true, NULL), 0);
	assert_int_equal(admin.n_floors, 0);
}

static void a_route_that_is_refused(void **state)
{
	struct addr box = at("10.0.0.1");
	uint8_t length = 24;
	struct ir_interface i = {
		.name = "lan0", .device = "eth0", .addresses = &box, .prefix_lengths = &length, .n_addresses = 1
	};
	struct ir_route r[2] = {
		{ .to = net("10.5.0.0/16"), .via = at("10.0.0.9"), .interface = UINT32_MAX },
		{ .to = net("10.6.0.0/16"), .via = at("10.0.0.9"), .interface = UINT32_MAX },
	};
	struct ir ir = { .interfaces = &i, .n_interfaces = 1, .routes = r, .n_routes = 2 };
	struct rtnl k = { .refuse_route = "10.5.0.0" };
	struct err e = { 0 };

	(void)state;
	k.r[k.n_r++] = (struct rtnl_route){ .to = at("10.8.0.0"), .prefix = 16, .type = RTN_UNICAST };
	assert_int_equal(box_routes(&k, &ir, false, &e), -ENETUNREACH);
	assert_string_equal(e.text, "route to 10.5.0.0: Network is unreachable");
	assert_string_equal(k.log, "+10.6.0.0/16 -10.8.0.0/16");
}

static void gateway_decides_by_whole_prefix(void **state)
{
	struct addr a = at("10.99.128.1");
	uint8_t length = 17;
	struct ir_interface i = { .name = "adm0",
				  .device = "eth9",
				  .admin = true,
				  .addresses = &a,
				  .prefix_lengths = &length,
				  .n_addresses = 1 };
	struct ir ir = { .interfaces = &i, .n_interfaces = 1 };
	struct ir_route r = { .to = net("10.5.0.0/16"), .interface = UINT32_MAX };

	(void)state;
	r.via = at("10.99.255.9");
	assert_true(box_route_is_admin(&ir, &r));
	r.via = at("10.99.127.9");
	assert_false(box_route_is_admin(&ir, &r));
	r.via = at("2001:db8::1");
	assert_false(box_route_is_admin(&ir, &r));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_stays_is_not_touched), cmocka_unit_test(new_stands_before_old_goes),
		cmocka_unit_test(prefix_change_goes_first),  cmocka_unit_test(unusable_address_is_made_anew),
		cmocka_unit_test(link_local_is_the_kernels), cmocka_unit_test(refusal_is_reported),
		cmocka_unit_test(routes_by_difference),	     cmocka_unit_test(gateway_decides_by_whole_prefix),
		cmocka_unit_test(routes_of_others_go),	     cmocka_unit_test(routes_beside_a_device_that_is_gone),
		cmocka_unit_test(floors_below_ways),	     cmocka_unit_test(a_route_that_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
