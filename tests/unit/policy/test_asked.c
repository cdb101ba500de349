/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LINK: $(COMPILER_PARTS) policy/space/asked.c policy/space/walks.c
 * LINK: tests/unit/policy/evaluate_model.c policy/ir/evaluate.c appliance/wire/notation.c
 * LINK: appliance/wire/tag.c policy/space/asking.c policy/space/chained.c
 * LINK: appliance/base/json.c appliance/base/sentence.c appliance/base/memfd.c
 * LINK: appliance/base/utf8.c
 * LIBS: nettle jansson
 */
/*
 * What `ask` says about two hosts and a port is compared with the model evaluator, which is written
 * from the reference of the language, on random models. Its answers about commands, addresses and
 * times are compared with known answers. SEED=n repeats a run.
 */
#include "policy/ir/evaluate.h"
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "policy/space/asked.h"
#include "tests/unit/policy/model_make.h"

/* The port as people write it: one number for both families. False: no policy can name this ICMP
 * type. */
static bool port_of(const struct question *q, struct ir_port *ret)
{
	uint16_t port = q->port;

	if (q->l4proto == 58 && port != 128u << 8 && port != 129u << 8)
		return false;
	if (q->l4proto == 58)
		port = port == 128u << 8 ? 8u << 8 : 0;
	*ret = (struct ir_port){ q->l4proto == 58 ? 1 : q->l4proto, port, port };
	return true;
}

/* The first end with this name or address; here there is only one. */
static struct asked_end end_of(struct model_maker *k, const char *text)
{
	struct asked_end *ends;

	assert_true(asked_ends(&k->m, text, k->arena, &ends) > 0);
	return ends[0];
}

static unsigned compare(struct model_maker *k, const struct question *of)
{
	const struct model *m = &k->m;
	char from[ADDR_TEXT], to[ADDR_TEXT];
	struct ir_port port;
	struct asked q = { .protocol = PROTO_NONE, .port = &port, .at = of->now };
	struct question packet = *of;
	uint32_t want[64];
	size_t n_want, n = 0;

	packet.iif = packet.oif = NULL;
	if (packet.source.family != packet.destination.family || !port_of(&packet, &port) ||
	    packet.l4proto == (packet.source.family == 6 ? 1 : 58))
		return 0;
	addr_text(&packet.source, from);
	addr_text(&packet.destination, to);
	q.from = end_of(k, from);
	q.to = end_of(k, to);
	/* The conduits that allow it, without shadows, which allow nothing. */
	n_want = evaluate_model(m, &packet, want, 64);
	for (size_t i = 0; i < m->n_conduits; i++) {
		bool says = ask_conduit(m, &m->conduits[i], &q).lack == ASKED_NOTHING, among = false;

		for (size_t w = 0; w < n_want; w++)
			among = among || (want[w] == i && !m->conduits[i].shadow);
		assert_int_equal(says, among);
		n += says;
	}
	return n > 0;
}

static void drawn_hosts_agree(void **state)
{
	const char *given = getenv("SEED");
	unsigned seed = given != NULL ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL), yes = 0;

	(void)state;
	print_message("SEED=%u\n", seed);
	for (int round = 0; round < 200; round++) {
		struct model_maker k;

		maker_init(&k);
		maker_random(&k, &seed);
		for (int p = 0; p < 300; p++) {
			struct question q = maker_question(&k, &seed);

			(void)compare(&k, &q);
			q.now = maker_end(&k, &seed, q.now);
			yes += compare(&k, &q);
		}
		maker_free(&k);
	}
	assert_true(yes > 300);
}

static enum asked_lack lack(struct model_maker *k, const char *from, const char *to, const char *command,
			    const char *numbers)
{
	struct asked q = { .protocol = PROTO_NONE, .command = command, .at = 1000 };
	enum asked_lack best = ASKED_ENDS;

	q.place = numbers != NULL ? "holding" : NULL;
	q.numbers = numbers;
	q.from = end_of(k, from);
	q.to = end_of(k, to);
	for (size_t i = 0; i < k->m.n_conduits; i++) {
		struct asked_line l = ask_conduit(&k->m, &k->m.conduits[i], &q);

		best = l.lack > best ? l.lack : best;
	}
	return best;
}

static void commands_and_addresses(void **state)
{
	struct model_maker k;
	struct model_zone *tos, *crane;
	struct model_service *plc;
	struct model_conduit *c;

	(void)state;
	maker_init(&k);
	maker_interface(&k, "lan1");
	maker_interface(&k, "lan2");
	tos = maker_zone(&k, "tos", "lan1", "10.20.0.0/24");
	crane = maker_zone(&k, "crane", "lan2", "10.30.0.0/24");
	plc = maker_service(&k, "plc", PROTO_MODBUS, "tcp/502");
	maker_allow(&k, plc, CLASS_WRITE, 100, 199);
	maker_asset(&k, "rtg01", crane, "10.30.0.10");
	c = maker_conduit(&k, "tos-writes", tos, crane, "10.20.0.5", "10.30.0.10", plc);

	assert_int_equal(lack(&k, "tos", "crane", NULL, NULL), ASKED_NOTHING);
	assert_int_equal(lack(&k, "crane", "tos", NULL, NULL), ASKED_ENDS);
	assert_int_equal(lack(&k, "10.20.0.6", "rtg01", NULL, NULL), ASKED_SOURCE);
	assert_int_equal(lack(&k, "10.20.0.5", "10.30.0.11", NULL, NULL), ASKED_DESTINATION);
	assert_int_equal(lack(&k, "tos", "rtg01", "write", NULL), ASKED_NOTHING);
	assert_int_equal(lack(&k, "tos", "rtg01", "read", NULL), ASKED_COMMAND);
	assert_int_equal(lack(&k, "tos", "rtg01", "write_single_register", "100"), ASKED_NOTHING);
	assert_int_equal(lack(&k, "tos", "rtg01", "6", "100-199"), ASKED_NOTHING);
	assert_int_equal(lack(&k, "tos", "rtg01", "6", "100-200"), ASKED_PLACE);
	/* A coil is not a register, and a row for registers does not allow writing one. */
	assert_int_equal(lack(&k, "tos", "rtg01", "write_single_coil", "100"), ASKED_COMMAND);
	c->until = 1000;
	assert_int_equal(lack(&k, "tos", "rtg01", "write", NULL), ASKED_OVER);
	c->until = 1001;
	assert_int_equal(lack(&k, "tos", "rtg01", "write", NULL), ASKED_NOTHING);
	/* Everything that is only observed passes, and a shadow allows nothing. */
	c->observe = true;
	assert_int_equal(lack(&k, "tos", "rtg01", "read", NULL), ASKED_NOTHING);
	c->shadow = true;
	assert_int_equal(lack(&k, "tos", "rtg01", "write", NULL), ASKED_ENDS);
	maker_free(&k);
}

/* The number of walks, and whether the first one has this many hops. */
static size_t walks(struct model_maker *k, const char *command, const char *to, size_t n_hops)
{
	struct asked q = { .protocol = PROTO_NONE, .command = command, .to = end_of(k, to), .at = 1000 };
	struct walk *list;
	size_t n = walks_to(&k->m, &q, k->arena, &list);

	assert_true(n == 0 || list[0].n_hops == n_hops);
	return n;
}

/* How many entries the answer has, with one end given; -1: it is an error. */
static int answered(struct model_maker *k, const struct asking_words *w, const char *key)
{
	const struct compilation c = { .model = &k->m, .arena = k->arena };
	bool meant;
	json_t *answer = asking_answer(&c, w, &meant);
	int n = meant ? (int)json_array_size(json_object_get(answer, key)) : -1;

	assert_true(meant == (json_object_get(answer, "error") == NULL));
	json_decref(answer);
	return n;
}

#define BLOCK 65536u /* what an arena takes at least (arena.c) */
#define ROOM_MOST 4096u

/* Whether the answer is an error, which it is for want of memory; else it has `n` entries. */
static bool whole(struct model_maker *k, const char *from, const char *to, int n)
{
	int got = answered(k, &(struct asking_words){ .from = from, .to = to, .at = 1000 },
			   from != NULL ? "reached" : "sources");

	assert_true(got == -1 || got == n);
	return got == -1;
}

static void walks_begin_and_end(void **state)
{
	static const char *const names[] = { "rtg01" };
	struct model_group group = { "rtgs", NULL, names, 0, 1 };
	struct model_maker k;
	struct model_zone *office, *tos, *crane;
	struct asked_end from;
	struct walk *list;
	unsigned short_of = 0;
	size_t n;

	(void)state;
	maker_init(&k);
	maker_interface(&k, "lan0");
	maker_interface(&k, "lan1");
	maker_interface(&k, "lan2");
	office = maker_zone(&k, "office", "lan0", "10.10.0.0/24");
	tos = maker_zone(&k, "tos", "lan1", "10.20.0.0/24");
	crane = maker_zone(&k, "crane", "lan2", "10.30.0.0/24");
	maker_asset(&k, "rtg01", crane, "10.30.0.10");
	k.m.groups = &group;
	k.m.n_groups = 1;
	maker_conduit(&k, "in", office, tos, "", "10.20.0.5", maker_service(&k, "web", PROTO_TLS, "tcp/443"));
	maker_conduit(&k, "on", tos, crane, "10.20.0.6", "10.30.0.10", maker_service(&k, "ssh", PROTO_SSH, "tcp/22"));
	maker_conduit(&k, "back", crane, tos, "", "", maker_service(&k, "log", PROTO_SYSLOG, "udp/514"));

	assert_int_equal(walks(&k, "write", "rtg01", 1), 2);
	assert_int_equal(walks(&k, "write", "rtgs", 1), 2);
	assert_int_equal(walks(&k, "write", "10.30.0.11", 1), 0);
	assert_int_equal(walks(&k, "write", "office", 1), 0);
	/* The walk cannot go on from the only host that the office reaches. */
	maker_break(&k, maker_asset(&k, "db", tos, "10.20.0.5"));
	assert_int_equal(walks(&k, "write", "rtg01", 1), 1);
	k.m.n_breaks = 0;

	from = end_of(&k, "office");
	n = walks_from(&k.m, &from, 1, 1000, k.arena, &list);
	assert_int_equal(n, 3);
	assert_int_equal(list[2].n_hops, 3);
	/* A host that may not go there itself can go over a neighbour. */
	from = end_of(&k, "10.20.0.7");
	n = walks_from(&k.m, &from, 1, 1000, k.arena, &list);
	assert_int_equal(n, 1);
	assert_true(list[0].beside);
	from = end_of(&k, "10.20.0.6");
	(void)walks_from(&k.m, &from, 1, 1000, k.arena, &list);
	assert_false(list[0].beside);
	/* The same in words. Without memory it is an error, and never "nobody can". */
	assert_int_equal(answered(&k, &(struct asking_words){ .from = "office", .at = 1000 }, "reached"), 3);
	assert_int_equal(
		answered(&k, &(struct asking_words){ .to = "rtg01", .command = "write", .at = 1000 }, "sources"), 2);
	assert_int_equal(answered(&k, &(struct asking_words){ .to = "office", .at = 1000 }, "sources"), 0);
	for (size_t room = 16; room <= ROOM_MOST; room += 16) {
		struct arena *all = k.arena;

		k.arena = arena_new(BLOCK);
		assert_non_null(arena_alloc(k.arena, BLOCK - room));
		short_of += (unsigned)whole(&k, "office", NULL, 3) + (unsigned)whole(&k, NULL, "rtg01", 2);
		arena_free(k.arena);
		k.arena = all;
	}
	assert_in_range(short_of, 2, 2 * ROOM_MOST / 16 - 2);
	maker_free(&k);
}

/* A machine stands for all its members, by the name or the label that they share; and no other
 * label is taken for it. */
static void machines(void **state)
{
	struct asked_end *ends, one;
	struct model_maker k;
	struct model_zone *crane;

	(void)state;
	maker_init(&k);
	maker_interface(&k, "lan2");
	crane = maker_zone(&k, "crane", "lan2", "10.30.0.0/24");
	maker_asset(&k, "rtg07.plc", crane, "10.30.0.71")->label = "RTG 7号機 plc";
	maker_asset(&k, "rtg07.cam", crane, "10.30.0.72")->label = "RTG 7号機 cam";
	maker_asset(&k, "rtg17.plc", crane, "10.30.0.81")->label = "RTG 17号機 plc";
	maker_asset(&k, "gate", crane, "10.30.0.90")->label = "RTG 7号機 gate";
	assert_int_equal(end_of(&k, "RTG 7号機").n, 2);
	assert_int_equal(end_of(&k, "rtg07").n, 2);
	assert_int_equal(end_of(&k, "rtg17").n, 1);
	one = end_of(&k, "RTG 7号機 plc");
	assert_int_equal(one.n, 1);
	assert_string_equal(one.asset->name, "rtg07.plc");
	for (const char *const *not = (const char *const[]){ "RTG 7号", "rtg0", "RTG", "plc", "rtg07.", "", NULL };
	     *not != NULL; not ++)
		assert_int_equal(asked_ends(&k.m, *not, k.arena, &ends), 0);
	maker_free(&k);
}

static void words(void **state)
{
	const char *word;
	struct asked q = { .protocol = PROTO_NONE, .command = "write" };

	(void)state;
	assert_true(asked_words(&q, &word));
	q.command = "fly";
	assert_false(asked_words(&q, &word));
	assert_string_equal(word, "fly");
	q = (struct asked){ .protocol = PROTO_MODBUS, .command = "write", .place = "holding", .numbers = "7" };
	assert_true(asked_words(&q, &word));
	q.place = "db";
	assert_false(asked_words(&q, &word));
	assert_string_equal(word, "db");
	q.place = "holding";
	q.value = "many";
	assert_false(asked_words(&q, &word));
	assert_string_equal(word, "many");
	q = (struct asked){ .protocol = PROTO_SSH, .command = "program" };
	assert_true(asked_words(&q, &word));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(drawn_hosts_agree),
		cmocka_unit_test(commands_and_addresses),
		cmocka_unit_test(walks_begin_and_end),
		cmocka_unit_test(machines),
		cmocka_unit_test(words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
