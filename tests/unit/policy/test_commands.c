/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LINK: $(COMPILER_PARTS) policy/ir/seal.c policy/ir/elements.c
 * LIBS: nettle
 */
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/sha256.h"
#include "tests/unit/policy/model_make.h"

static uint8_t *site_image(size_t *n)
{
	struct model_maker k;
	uint32_t ids[64];
	uint8_t *p;

	maker_init(&k);
	maker_site(&k);
	assert_true(maker_lower(&k));
	/* Permit ids as a box may have them: decreasing, with gaps. */
	for (uint32_t i = 0; i < k.c.ir->n_permits; i++)
		ids[i] = PERMIT_MAX - 7 * i;
	p = ir_table_image(k.c.ir, ids, n);
	assert_non_null(p);
	maker_free(&k);
	return p;
}

/* Decodes a copy of exactly this size into exactly the memory that is promised to be enough. */
static bool decodes(const uint8_t *p, size_t n, struct command_table *t, void **memory)
{
	uint8_t *copy = malloc(n ? n : 1);
	bool ok;

	memcpy(copy, p, n);
	*memory = aligned_alloc(16, (COMMANDS_MEMORY(n) + 15) / 16 * 16);
	ok = commands_decode(bytes_of(copy, n), *memory, COMMANDS_MEMORY(n), t);
	free(copy);
	return ok;
}

static bool refused(const uint8_t *p, size_t n)
{
	struct command_table t;
	void *memory;
	bool ok = decodes(p, n, &t, &memory);

	if (!ok) {
		assert_int_equal(t.n_permits, 0);
		assert_null(commands_permit(&t, 1));
	}
	free(memory);
	return !ok;
}

static void image_comes_back(void **state)
{
	struct command_table t;
	uint8_t *p, *again, digest[32];
	struct outbuf o;
	size_t n;
	void *memory;

	(void)state;
	p = site_image(&n);
	assert_true(decodes(p, n, &t, &memory));
	sha256(p, n, digest);
	assert_memory_equal(digest, t.digest, 32);
	assert_int_equal(commands_size(&t), n);
	again = malloc(n);
	o = outbuf_of(again, n);
	assert_true(commands_encode(&t, &o));
	assert_memory_equal(p, again, n);
	o = outbuf_of(again, n - 1);
	assert_false(commands_encode(&t, &o));
	for (uint32_t i = 0; i < t.n_permits; i++)
		assert_ptr_equal(commands_permit(&t, t.permits[i].permit), &t.permits[i]);
	assert_null(commands_permit(&t, 0));
	assert_null(commands_permit(&t, PERMIT_MAX - 1));
	free(again);
	free(memory);
	free(p);
}

static void memory_too_small_is_refused(void **state)
{
	_Alignas(16) uint8_t memory[256];
	struct command_table t;
	uint8_t *p;
	size_t n;

	(void)state;
	p = site_image(&n);
	assert_false(commands_decode(bytes_of(p, n), memory, sizeof(memory), &t));
	assert_int_equal(t.n_permits, 0);
	free(p);
}

static void every_truncation_is_refused(void **state)
{
	uint8_t *p, *longer;
	size_t n;

	(void)state;
	p = site_image(&n);
	for (size_t i = 0; i < n; i++)
		assert_true(refused(p, i));
	longer = calloc(1, n + 1);
	memcpy(longer, p, n);
	assert_true(refused(longer, n + 1));
	free(longer);
	free(p);
}

/* Whether every index in the table stays inside the table. */
static bool stays_inside(const struct command_table *t)
{
	bool in = true;

	for (uint32_t i = 0; i < t->n_permits; i++) {
		const struct command_permit *p = &t->permits[i];

		in = in && (uint64_t)p->first_grant + p->n_grants <= t->n_grants &&
		     (uint64_t)p->ports.first + p->ports.n <= t->n_ranges;
	}
	for (uint32_t i = 0; i < t->n_grants; i++) {
		const struct command_grant *g = &t->grants[i];

		in = in && (uint64_t)g->first_row + g->n_rows <= t->n_rows &&
		     (uint64_t)g->first_name + g->n_names <= t->n_names;
	}
	for (uint32_t i = 0; i < t->n_rows; i++)
		in = in && (uint64_t)t->rows[i].first_space + t->rows[i].n_spaces <= t->n_spaces;
	return in;
}

/* An image with one inverted bit is refused, or gives another valid table, which encodes to the
 * same bytes. */
static void flips_stay_in_order(void **state)
{
	unsigned n_refused = 0;
	uint8_t *p;
	size_t n;

	(void)state;
	p = site_image(&n);
	for (size_t bit = 0; bit < n * 8; bit++) {
		struct command_table t;
		void *memory;

		p[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (decodes(p, n, &t, &memory)) {
			uint8_t *again = malloc(n);
			struct outbuf o = outbuf_of(again, n);

			assert_true(stays_inside(&t));
			assert_true(commands_encode(&t, &o));
			assert_memory_equal(p, again, n);
			free(again);
		} else {
			n_refused++;
		}
		free(memory);
		p[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	print_message("%u of %zu refused\n", n_refused, n * 8);
	assert_true(n_refused > n);
	free(p);
}

static void numbers(void **state)
{
	struct number_range ranges[] = { { 0, 9 }, { 10, 10 }, { 12, 99 }, { 400, 400 }, { 65000, UINT32_MAX } };
	struct command_table t = { .ranges = ranges, .n_ranges = 5 };
	struct number_set all = { .first = 0, .n = 5 }, none = { 0 }, any = { .any = true },
			  part = { .first = 1, .n = 2 };

	(void)state;
	assert_true(number_in(&t, &all, 0) && number_in(&t, &all, 99) && number_in(&t, &all, UINT32_MAX));
	assert_false(number_in(&t, &all, 11) || number_in(&t, &all, 399) || number_in(&t, &none, 0));
	assert_true(number_in(&t, &any, 77));
	assert_true(number_covers(&t, &all, 3, 10)); /* across two that touch */
	assert_false(number_covers(&t, &all, 10, 12));
	assert_false(number_covers(&t, &all, 11, 12));
	assert_true(number_covers(&t, &all, 12, 99));
	assert_false(number_covers(&t, &all, 99, 100));
	assert_false(number_covers(&t, &all, 99, 12));
	assert_true(number_covers(&t, &all, 70000, UINT32_MAX));
	assert_true(number_covers(&t, &part, 10, 10));
	/* the list next to it belongs to another set */
	assert_false(number_covers(&t, &part, 9, 10));
	assert_false(number_covers(&t, &none, 0, 0));
	assert_true(number_covers(&t, &any, 0, UINT32_MAX));
}

static bool declares(const char *list, size_t n, const char *name)
{
	return names_declare(bytes_of(list, n), name);
}

static bool is_list(const char *list, size_t n)
{
	return names_hold(bytes_of(list, n));
}

#define OF(text) text, sizeof(text) - 1

/* Names of servers: which lists are valid, and which names they declare. */
static void server_names(void **state)
{
	char long_name[NAME_BYTES + 3];

	(void)state;
	assert_true(is_list(OF("\020*.vendor.example\003tos\026updates.vendor.example")));
	assert_true(declares(OF("\003tos"), "tos"));
	assert_true(declares(OF("\003tos"), "ToS"));
	assert_false(declares(OF("\003tos"), "to"));
	assert_false(declares(OF("\003tos"), "tos."));
	assert_false(declares(OF("\003tos"), "toss"));
	assert_false(declares(OF("\003tos"), ""));
	assert_false(declares(OF("\003tos"), "a.tos"));
	assert_false(declares(OF(""), "tos"));
	assert_true(declares(OF("\020*.vendor.example\003tos"), "tos"));
	assert_true(declares(OF("\020*.vendor.example"), "a.vendor.example"));
	assert_true(declares(OF("\020*.vendor.example"), "A-b_1.Vendor.EXAMPLE"));
	assert_false(declares(OF("\020*.vendor.example"), "vendor.example"));
	assert_false(declares(OF("\020*.vendor.example"), ".vendor.example"));
	assert_false(declares(OF("\020*.vendor.example"), "a.b.vendor.example"));
	assert_false(declares(OF("\020*.vendor.example"), "a.vendor.example."));
	assert_false(declares(OF("\020*.vendor.example"), "avendor.example"));
	assert_false(declares(OF("\020*.vendor.example"), "*"));
	/* Invalid lists: a length of 0 or beyond the end, wrong characters, a star at the wrong
	 * place, unsorted names, the same name twice. */
	assert_true(is_list(OF("")));
	assert_false(is_list("\0", 1));
	assert_false(is_list(OF("\004tos")));
	assert_false(is_list(OF("\003tos\001")));
	assert_false(is_list(OF("\003tOs")));
	assert_false(is_list(OF("\003t s")));
	assert_false(is_list("\003t\0s", 4));
	assert_false(is_list(OF("\003t\xe3s")));
	assert_false(is_list(OF("\001*")));
	assert_false(is_list(OF("\002*.")));
	assert_false(is_list(OF("\005a.*.b")));
	assert_false(is_list(OF("\001b\001a")));
	assert_false(is_list(OF("\001a\001a")));
	assert_false(is_list(OF("\002aa\001a")));
	assert_true(is_list(OF("\001a\002aa")));
	memset(long_name, 'a', sizeof(long_name));
	long_name[0] = (char)NAME_BYTES;
	assert_true(is_list(long_name, NAME_BYTES + 1));
	long_name[0] = (char)(NAME_BYTES + 1);
	assert_false(is_list(long_name, NAME_BYTES + 2));
	for (unsigned n = NAMES_MAX; n <= NAMES_MAX + 1; n++) {
		char l[3 * (NAMES_MAX + 1)];

		for (unsigned i = 0; i < n; i++) {
			l[3 * i] = 2;
			l[3 * i + 1] = (char)('a' + (int)(i / 26));
			l[3 * i + 2] = (char)('a' + (int)(i % 26));
		}
		assert_int_equal(is_list(l, 3u * n), n == NAMES_MAX);
	}
}

/* The list of a conduit is stored once, however many services with TLS it has. Other protocols have
 * no list. */
static void a_conduits_names_stand_once(void **state)
{
	struct ir_server names[] = { { "*.vendor.example" }, { "tos" } };
	const struct command_table *t;
	struct model_service *s[3];
	struct model_conduit *c;
	struct model_maker k;
	struct model_zone *a, *b;
	unsigned with = 0;

	(void)state;
	maker_init(&k);
	maker_interface(&k, "lan0");
	maker_interface(&k, "lan1");
	a = maker_zone(&k, "a", "lan0", "10.1.0.0/24");
	b = maker_zone(&k, "b", "lan1", "10.2.0.0/24");
	s[0] = maker_service(&k, "web", PROTO_TLS, "tcp/443");
	s[1] = maker_service(&k, "web2", PROTO_TLS, "tcp/8443");
	s[2] = maker_service(&k, "shell", PROTO_SSH, "tcp/22");
	c = maker_conduit(&k, "c", a, b, "", "", s[0]);
	c->services = (const struct model_service *[]){ s[0], s[1], s[2] };
	c->n_services = 3;
	c->servers = names;
	c->n_servers = 2;
	assert_true(maker_lower(&k));
	t = &k.c.ir->table;
	assert_int_equal(t->n_names, 17 + 4);
	for (uint32_t i = 0; i < t->n_grants; i++) {
		assert_int_equal(t->grants[i].n_names, t->grants[i].protocol == PROTO_TLS ? t->n_names : 0);
		with += names_declare(grant_names(t, &t->grants[i]), "tos");
	}
	assert_int_equal(with, 2);
	maker_free(&k);
}

/* The rows of a service are stored once, and so are equal lists of numbers. The server ports of a
 * permit are those of its cells. */
static void shared_parts(void **state)
{
	struct model_maker k;
	struct model_zone *a, *b;
	struct model_service *s;
	const struct command_table *t;

	(void)state;
	maker_init(&k);
	maker_interface(&k, "lan0");
	maker_interface(&k, "lan1");
	a = maker_zone(&k, "a", "lan0", "10.1.0.0/24");
	b = maker_zone(&k, "b", "lan1", "10.2.0.0/24");
	s = maker_service(&k, "s", PROTO_MODBUS, "tcp/502 tcp/1502-1503");
	maker_allow(&k, s, CLASS_READ, 0, 99);
	maker_allow(&k, s, CLASS_WRITE, 0, 99);
	for (unsigned i = 1; i < 20; i++) {
		char host[16];

		snprintf(host, sizeof(host), "10.2.0.%u", 2 * i);
		maker_conduit(&k, "c", a, b, "", host, s);
	}
	assert_true(maker_lower(&k));
	t = &k.c.ir->table;
	assert_int_equal(t->n_permits, 19);
	assert_int_equal(t->n_grants, 19);
	assert_int_equal(t->n_rows, 2);
	assert_int_equal(t->n_spaces, 2);
	/* two lists with three ranges of codes; unit, addresses, ports */
	assert_int_equal(t->n_ranges, 10);
	for (uint32_t i = 0; i < t->n_permits; i++) {
		assert_true(number_in(t, &t->permits[i].ports, 502));
		assert_true(number_covers(t, &t->permits[i].ports, 1502, 1503));
		assert_false(number_in(t, &t->permits[i].ports, 503));
		assert_int_equal(t->grants[i].n_rows, 2);
	}
	maker_free(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(image_comes_back),
		cmocka_unit_test(memory_too_small_is_refused),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(flips_stay_in_order),
		cmocka_unit_test(numbers),
		cmocka_unit_test(server_names),
		cmocka_unit_test(a_conduits_names_stand_once),
		cmocka_unit_test(shared_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
