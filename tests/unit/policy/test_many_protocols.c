/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Protocols with any number, beyond 32 and beyond 64: sets of them, policies that name them,
 * permits, sealed generations, and the tables for workers.
 *
 * LINK: appliance/wire/duty.c $(POLICY_SRC) $(BASE_SRC) appliance/wire/commands.c
 * LINK: appliance/wire/commands_json.c
 * LINK: appliance/wire/evaluate.c appliance/wire/hours.c appliance/wire/operation.c
 * LINK: appliance/wire/notation.c appliance/wire/tag.c appliance/wire/settings.c
 * LINK: appliance/wire/plain.c
 * LINK: appliance/wire/vocabulary.c appliance/wire/reason.c appliance/wire/msg.c
 * LINK: appliance/wire/attack.c
 * LIBS: libconfig nettle jansson
 */
#include "policy/ir/seal.h"
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <stdlib.h>

#include "appliance/base/sha256.h"
#include "tests/unit/policy/policy_text.h"
#include "tests/unit/wire/many_protocols.h"

#define SITE                                                                                                           \
	"language_version = 1;\nzones = { a = { interfaces = [\"lan0\"]; networks = [\"10.1.0.0/16\"]; };"             \
	" b = { interfaces = [\"lan1\"]; networks = [\"10.2.0.0/16\"]; }; };\n"

static char policy[2048];
static struct memory_text text = { "site.cfg", policy };

/* A policy with one permit, for two protocols on one port. */
static struct ir *compiled(struct policy_text *t, unsigned one, unsigned other)
{
	snprintf(policy, sizeof(policy),
		 SITE
		 "services = { s = { protocol = \"p%u\"; ports = [\"tcp/502\"]; }; o = { protocol = \"p%u\"; ports "
		 "= [\"tcp/502\"]; }; };\n"
		 "conduits = ( { name = \"c\"; from = \"a\"; to = \"b\"; services = [\"s\", \"o\"]; purpose = "
		 "\"p\"; owner = \"o\"; review_by = \"2099-03-31\"; } );\n",
		 one, other);
	policy_text_begin(t, &text, 1);
	if (!policy_check(&t->c, &t->loader, "site.cfg") || !policy_lower(&t->c)) {
		diags_print(stderr, &t->c.diags, t->c.sources, t->c.n_sources, LANG_EN);
		fail();
	}
	assert_int_equal(t->c.ir->n_permits, 1);
	return t->c.ir;
}

static struct protocol_set of(unsigned one, unsigned other)
{
	struct protocol_set s = { 0 };

	protocols_add(&s, one);
	protocols_add(&s, other);
	return s;
}

static void sets(void **state)
{
	(void)state;
	for (unsigned a = 1; a < PROTO_MAX; a++) {
		struct protocol_set one = of(a, a), joined = { 0 };

		assert_int_equal(protocols_only(&one), a);
		for (unsigned b = 1; b < PROTO_MAX; b++) {
			struct protocol_set two = of(a, b), other = of(b, b);

			assert_int_equal(protocols_have(&one, b), a == b);
			assert_int_equal(protocols_only(&two), a == b ? a : PROTO_NONE);
			assert_true(protocols_within(&one, &two));
			assert_int_equal(protocols_within(&two, &one), a == b);
			assert_int_equal(protocols_next(&two, PROTO_NONE), a < b ? a : b);
			assert_int_equal(protocols_next(&two, a < b ? a : b), a == b ? PROTO_NONE : a < b ? b : a);
			joined = one;
			protocols_join(&joined, &other);
			assert_memory_equal(&joined, &two, sizeof(two));
		}
	}
	assert_true(protocols_none(&(struct protocol_set){ 0 }));
	assert_false(protocols_have(&(struct protocol_set){ .bits = { UINT64_MAX, UINT64_MAX } }, PROTO_MAX));
}

/* The promised protocols of a permit are in the generation that is read back, and in the tables of
 * workers. */
static void any_number_is_sealed(void **state)
{
	(void)state;
	for (unsigned a = 1; a < PROTO_MAX; a++) {
		unsigned b = a % (PROTO_MAX - 1) + 1;
		struct protocol_set expected = of(a, b);
		struct arena *arena = arena_new(COMPILE_BUDGET);
		struct command_table table;
		struct policy_text t;
		struct ir *ir = compiled(&t, a, b), back;
		uint8_t *sealed, *image, *memory;
		size_t n, n_image;
		uint32_t id = 9;
		struct err e;

		assert_memory_equal(&ir->permits[0].protocols, &expected, sizeof(expected));
		assert_int_equal(ir_seal(ir, &sealed, &n, &e), 0);
		assert_int_equal(ir_unseal(bytes_of(sealed, n), arena, &back, &e), 0);
		assert_memory_equal(&back.permits[0].protocols, &expected, sizeof(expected));
		image = ir_table_image(&back, &id, &n_image);
		assert_non_null(image);
		memory = malloc(COMMANDS_MEMORY(n_image));
		assert_non_null(memory);
		assert_true(commands_decode(bytes_of(image, n_image), memory, COMMANDS_MEMORY(n_image), &table));
		assert_int_equal(table.n_grants, 2);
		assert_int_equal(table.grants[0].protocol, a);
		assert_int_equal(table.grants[1].protocol, b);
		free(memory);
		free(image);
		free(sealed);
		arena_free(arena);
		policy_text_end(&t);
	}
}

/* Protocols whose numbers end in the same bits are distinguished. */
static void each_has_an_identity(void **state)
{
	uint8_t seen[PROTO_MAX][32];

	(void)state;
	for (unsigned a = 1; a < PROTO_MAX; a++) {
		struct policy_text t;

		memcpy(seen[a], compiled(&t, a, a)->permits[0].identity, 32);
		policy_text_end(&t);
		for (unsigned b = 1; b < a; b++)
			assert_memory_not_equal(seen[a], seen[b], 32);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets),
		cmocka_unit_test(any_number_is_sealed),
		cmocka_unit_test(each_has_an_identity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
