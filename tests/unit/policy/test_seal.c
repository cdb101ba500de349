/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LINK: $(COMPILER_PARTS) policy/ir/unseal.c policy/ir/seal.c appliance/wire/plain.c
 * LIBS: nettle
 */
#include "policy/ir/seal.h"
#include "tests/unit/cmocka.h"

#include "appliance/wire/evaluate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/sha256.h"
#include "dpi/modbus/words.h"
#include "policy/ir/objects.h"
#include "tests/unit/policy/model_make.h"

static void seal_site(struct model_maker *k, uint8_t **p, size_t *n)
{
	struct err e;

	maker_init(k);
	maker_site(k);
	assert_true(maker_lower(k));
	assert_int_equal(ir_seal(k->c.ir, p, n, &e), 0);
}

static int unseal(const uint8_t *p, size_t n)
{
	struct arena *a = arena_new(COMPILE_BUDGET);
	struct err e;
	struct ir ir;
	int r = ir_unseal(bytes_of(p, n), a, &ir, &e);

	arena_free(a);
	return r;
}

/* A pair of hosts at the corner of the range over which it lies. */
static void one_over_another_is_read(void **state)
{
	struct model_maker k;
	struct model_zone *a, *b;
	struct model_service *s;
	struct err e;
	uint8_t *p;
	size_t n;

	(void)state;
	maker_init(&k);
	maker_interface(&k, "lan0");
	maker_interface(&k, "lan1");
	a = maker_zone(&k, "a", "lan0", "10.1.0.0/24");
	b = maker_zone(&k, "b", "lan1", "10.2.0.0/24");
	s = maker_service(&k, "s", PROTO_TCP, "tcp/500-510");
	maker_conduit(&k, "all", a, b, "", "", s);
	maker_conduit(&k, "low", a, b, "10.1.0.0", "10.2.0.0", maker_service(&k, "low", PROTO_TCP, "tcp/500"));
	maker_conduit(&k, "mid", a, b, "10.1.0.0", "10.2.0.0", maker_service(&k, "mid", PROTO_TCP, "tcp/505"));
	assert_true(maker_lower(&k));
	assert_int_equal(k.c.ir->n_cells, 3);
	assert_int_equal(ir_seal(k.c.ir, &p, &n, &e), 0);
	assert_int_equal(unseal(p, n), 0);
	free(p);
	/* No compiler makes the same cell twice. */
	k.c.ir->cells[2] = k.c.ir->cells[0];
	assert_int_equal(ir_seal(k.c.ir, &p, &n, &e), 0);
	assert_true(unseal(p, n) < 0);
	free(p);
	maker_free(&k);
}

/* ---- settings of conduits -------------------------------------------------------------------- */

static void fill(void *member, size_t size, bool text, uint8_t value)
{
	static const char *const other = "other";

	memset(member, 0, size);
	if (text)
		memcpy(member, (const void *)&other, sizeof(other));
	else
		*(uint8_t *)member = value;
}

/* Seals a site in which every setting of a conduit is set, or one setting; `which` 0: none. Returns
 * the number of settings. */
static unsigned seal_settings(bool all, unsigned which, struct model_maker *k, uint8_t digest[32])
{
	struct model_conduit *c;
	unsigned n = 0;
	struct err e;
	uint8_t *p;
	size_t size;

	maker_init(k);
	maker_interface(k, "lan0");
	maker_interface(k, "lan1");
	c = maker_conduit(k, "c", maker_zone(k, "a", "lan0", "10.1.0.0/24"), maker_zone(k, "b", "lan1", "10.2.0.0/24"),
			  "", "", maker_service(k, "web", PROTO_TLS, "tcp/443"));
#define FILL(member)                                                                                                   \
	if (all || ++n == which)                                                                                       \
		fill(&c->member, sizeof(c->member), _Generic(c->member, const char *: true, default: false),           \
		     all || *(uint8_t *)&c->member == 0);
	CONDUIT_SAME(FILL)
	c->servers = NULL;
	c->n_servers = 0;
	assert_true(maker_lower(k));
	assert_int_equal(ir_seal(k->c.ir, &p, &size, &e), 0);
	memcpy(digest, k->c.ir->digest, 32);
	free(p);
	return n;
}

/* What a policy says of a conduit is in the generation: each setting changes its digest, which
 * people agree to. */
static void every_setting_is_in_the_digest(void **state)
{
	uint8_t digest[32][32];
	struct model_maker k;
	unsigned n = seal_settings(false, 0, &k, digest[0]);

	(void)state;
	maker_free(&k);
	assert_in_range(n, 20, 31);
	/* the last two are the server names */
	for (unsigned i = 1; i <= n - 2; i++) {
		(void)seal_settings(false, i, &k, digest[i]);
		maker_free(&k);
		for (unsigned j = 0; j < i; j++)
			assert_memory_not_equal(digest[i], digest[j], 32);
	}
}

/* No row of a conduit is left out when the model is copied (CONDUIT_SAME). */
static void every_row_is_filled(void **state)
{
	const struct ir_field *f = ir_generation->fields, *conduits;
	uint8_t digest[32];
	struct model_maker k;
	unsigned rows = 0;

	(void)state;
	(void)seal_settings(true, 0, &k, digest);
	while (f->at != offsetof(struct ir, conduits))
		f++;
	conduits = f;
	for (f = conduits->of->fields; f < conduits->of->fields + conduits->of->n; f++) {
		const struct ir_conduit *c = &k.c.ir->conduits[0];

		/* the compiler finds out whether a conduit only reads */
		if (f->at == offsetof(struct ir_conduit, reads))
			continue;
		if (f->kind == IR_TEXT)
			assert_string_equal(ir_pointer(c, f->at), "other");
		else if (f->kind == IR_FLAG || f->kind == IR_CHOICE || f->kind == IR_NUMBER || f->kind == IR_TIME)
			assert_int_not_equal(ir_number(c, f->at, f->size), 0);
		else
			continue;
		rows++;
	}
	assert_int_equal(rows, 20);
	maker_free(&k);
}

/* Rights that are never valid at the same moment may share a layer although they overlap, and the
 * box accepts this. */
static void hours_that_never_meet_are_read(void **state)
{
	struct model_maker k;
	struct model_zone *a, *b;
	struct model_conduit *before, *behind;
	struct err e;
	uint8_t *p;
	size_t n;

	(void)state;
	maker_init(&k);
	maker_interface(&k, "lan0");
	maker_interface(&k, "lan1");
	a = maker_zone(&k, "a", "lan0", "10.1.0.0/24");
	b = maker_zone(&k, "b", "lan1", "10.2.0.0/24");
	before = maker_conduit(&k, "wide", a, b, "", "", maker_service(&k, "s", PROTO_TCP, "tcp/1-65535"));
	behind = maker_conduit(&k, "narrow", a, b, "", "", maker_service(&k, "t", PROTO_TCP, "tcp/502-503"));
	before->starts = 4102444800;
	before->until = behind->starts = 4133980800;
	assert_true(maker_lower(&k));
	assert_int_equal(k.c.ir->n_cells, 2);
	assert_int_equal(k.c.ir->cells[0].layer, k.c.ir->cells[1].layer);
	assert_int_equal(ir_seal(k.c.ir, &p, &n, &e), 0);
	assert_int_equal(unseal(p, n), 0);
	free(p);
	maker_free(&k);
}

static void sealed_again_is_the_same(void **state)
{
	struct arena *a = arena_new(COMPILE_BUDGET);
	struct model_maker k, k2;
	uint8_t *p, *p2, *p3;
	size_t n, n2, n3;
	struct err e;
	struct ir ir;

	(void)state;
	seal_site(&k, &p, &n);
	seal_site(&k2, &p2, &n2);
	assert_int_equal(n, n2);
	assert_memory_equal(p, p2, n);
	assert_int_equal(ir_unseal(bytes_of(p, n), a, &ir, &e), 0);
	assert_memory_equal(ir.digest, k.c.ir->digest, 32);
	assert_int_equal(ir_seal(&ir, &p3, &n3, &e), 0);
	assert_int_equal(n, n3);
	assert_memory_equal(p, p3, n);
	assert_string_equal(ir.site_label, "北ターミナル");
	assert_string_equal(ir.site_contact, "内線 4119");
	assert_string_equal(ir.records_purpose, "事故の調査");
	assert_string_equal(ir.records_responsible, "情報管理責任者");
	assert_int_equal(ir.n_cells, k.c.ir->n_cells);
	assert_string_equal(ir.conduits[1].name, "tos-sets-rtg01");
	assert_int_equal(ir.conduits[0].heard_within, 600);
	assert_int_equal(ir.conduits[1].heard_within, 0);
	assert_memory_equal(ir.table.digest, k.c.ir->table.digest, 32);
	free(p);
	free(p2);
	free(p3);
	arena_free(a);
	maker_free(&k);
	maker_free(&k2);
}

static void every_truncation_is_refused(void **state)
{
	struct model_maker k;
	uint8_t *p, *copy;
	size_t n;

	(void)state;
	seal_site(&k, &p, &n);
	for (size_t i = 0; i < n; i += i < 64 ? 1 : 7) {
		/* a copy of exactly this size, so that a read beyond it is noticed */
		copy = malloc(i ? i : 1);
		memcpy(copy, p, i);
		assert_int_equal(unseal(copy, i), -EBADMSG);
		free(copy);
	}
	copy = malloc(n + 1);
	memcpy(copy, p, n);
	copy[n] = 0;
	assert_int_equal(unseal(copy, n + 1), -EBADMSG);
	free(copy);
	free(p);
	maker_free(&k);
}

static void every_bit_flip_is_refused(void **state)
{
	struct model_maker k;
	uint8_t *p;
	size_t n;

	(void)state;
	seal_site(&k, &p, &n);
	for (size_t bit = 0; bit < n * 8; bit += bit < 40 * 8 ? 1 : 3) {
		p[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(unseal(p, n), -EBADMSG);
		p[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_int_equal(unseal(p, n), 0);
	free(p);
	maker_free(&k);
}

/* If the digest is right, the rules for the contents notice damage, or the damaged bytes are
 * another valid generation, which seals to these bytes. A generation that is cut short is always
 * noticed. */
static void rules_hold_behind_a_right_digest(void **state)
{
	unsigned refused = 0, sound = 0;
	struct model_maker k;
	uint8_t *p, *copy;
	size_t n;

	(void)state;
	seal_site(&k, &p, &n);
	for (size_t i = 40; i < n; i += 5) {
		copy = malloc(i);
		memcpy(copy, p, i);
		sha256(copy + 40, i - 40, copy + 8);
		assert_int_equal(unseal(copy, i), -EBADMSG);
		free(copy);
	}
	copy = malloc(n);
	for (size_t i = 40; i < n; i++) {
		struct arena *a = arena_new(COMPILE_BUDGET);
		struct err e;
		struct ir ir;

		memcpy(copy, p, n);
		copy[i] ^= (uint8_t)(1u << i % 8);
		sha256(copy + 40, n - 40, copy + 8);
		if (ir_unseal(bytes_of(copy, n), a, &ir, &e) == 0) {
			uint8_t *again;
			size_t n_again;

			assert_int_equal(ir_seal(&ir, &again, &n_again, &e), 0);
			assert_int_equal(n, n_again);
			assert_memory_equal(copy, again, n);
			free(again);
			sound++;
		} else {
			refused++;
		}
		arena_free(a);
	}
	print_message("%u refused, %u other generations\n", refused, sound);
	assert_true(refused > 100);
	free(copy);
	free(p);
	maker_free(&k);
}

/* The demonstration site, compiled. */
static void lowered(struct model_maker *k)
{
	maker_init(k);
	maker_site(k);
	assert_true(maker_lower(k));
}

/* Seals and reads it back with a right digest; returns the result and frees the maker. */
static void sealed_is_read_as(struct model_maker *k, int r)
{
	struct err e;
	uint8_t *p;
	size_t n;

	assert_int_equal(ir_seal(k->c.ir, &p, &n, &e), 0);
	assert_int_equal(unseal(p, n), r);
	free(p);
	maker_free(k);
}

/* Deleted records cannot be restored, so every retention rule is checked, whoever made the
 * generation. */
static void a_rule_of_retention_holds(void **state)
{
	static const struct {
		uint32_t keep, delete;
		int r;
	} rules[] = {
		{ 0, 0, 0 },	      { 7, 8, 0 },	  { 400, 430, 0 },     { 1, 1, -EBADMSG },  { 1, 2, -EBADMSG },
		{ 6, 400, -EBADMSG }, { 7, 7, -EBADMSG }, { 30, 8, -EBADMSG }, { 30, 0, -EBADMSG }, { 0, 30, -EBADMSG },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		struct model_maker k;

		lowered(&k);
		k.c.ir->keep_days = rules[i].keep;
		k.c.ir->delete_after_days = rules[i].delete;
		sealed_is_read_as(&k, rules[i].r);
	}
}

/* The purpose of records and the person who is responsible: both or neither, whoever made the
 * generation. */
static void half_a_statement_is_none(void **state)
{
	static const struct {
		const char *purpose, *responsible;
		int r;
	} said[] = { { "", "", 0 }, { "a", "b", 0 }, { "a", "", -EBADMSG }, { "", "b", -EBADMSG } };

	(void)state;
	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
		struct model_maker k;

		lowered(&k);
		k.c.ir->records_purpose = said[i].purpose;
		k.c.ir->records_responsible = said[i].responsible;
		sealed_is_read_as(&k, said[i].r);
	}
}

/* This policy, sealed in the form of the first release. */
static size_t first_form(uint8_t *p, size_t size)
{
	FILE *f = fopen("tests/fuzz/corpus/seal/kita-form-1", "rbe");
	size_t n;

	assert_non_null(f);
	n = fread(p, 1, size, f);
	fclose(f);
	return n;
}

/* The row of the golden policy `kita`: reads of the holding registers 0 to 99 of unit 1. */
static void row_says_the_same(const struct command_table *t)
{
	const struct vocabulary *v = vocabulary_of(PROTO_MODBUS);
	const struct command_permit *p = &t->permits[0];
	struct operation reads = { .service = 3, .targets = { 1 }, .space = MODBUS_HOLDING, .first = 0, .count = 100 },
			 writes = { .service = 6,
				    .targets = { 1 },
				    .space = MODBUS_HOLDING,
				    .first = 400,
				    .count = 1,
				    .values = { .form = VALUES_BETWEEN, .n = 2, .lo = 0, .hi = 1 } };
	struct ruling r;

	evaluate(&(struct allowance){ t, p, v }, &reads, 1, &r);
	assert_int_equal(r.reason, R_ALLOWED);
	evaluate(&(struct allowance){ t, p, v }, &writes, 1, &r);
	assert_int_equal(r.reason, R_MODBUS_FUNCTION);
	reads.targets[0] = 2;
	evaluate(&(struct allowance){ t, p, v }, &reads, 1, &r);
	assert_int_equal(r.reason, R_MODBUS_UNIT);
	reads.targets[0] = 1;
	reads.count++;
	evaluate(&(struct allowance){ t, p, v }, &reads, 1, &r);
	assert_int_equal(r.reason, R_MODBUS_ADDRESS);
	reads.space = MODBUS_COILS;
	reads.service = 1;
	evaluate(&(struct allowance){ t, p, v }, &reads, 1, &r);
	assert_int_equal(r.reason, R_MODBUS_ADDRESS);
}

/* At boot a box reads what its last release has left on the disk: all of it is read, and has the
 * same meaning. */
static void first_form_is_read(void **state)
{
	struct arena *a = arena_new(COMPILE_BUDGET);
	uint8_t p[8192], *again;
	size_t n = first_form(p, sizeof(p)), n_again;
	struct ir ir;
	struct err e;

	(void)state;
	assert_int_equal(ir_unseal(bytes_of(p, n), a, &ir, &e), 0);
	assert_int_equal(ir.version, 1);
	assert_int_equal(ir.n_assets, 2);
	assert_int_equal(ir.naming_workers, 0);
	assert_int_equal(ir.command_workers, 0);
	assert_int_equal(ir.n_cells, 1);
	assert_string_equal(ir_card(&ir.interfaces[0]), ir.interfaces[0].device);
	assert_string_equal(ir.interfaces[ir.cells[0].iif].name, "lan1");
	assert_int_equal(protocols_only(&ir.permits[0].protocols), PROTO_MODBUS);
	assert_string_equal(ir.conduits[ir.table.grants[0].conduit].name, "tos-reads-cranes");
	assert_int_equal(ir.table.grants[0].lenient, 0);
	assert_non_null(strstr(ir.sources[ir.table.rows[0].file].text, "language_version = 1;"));
	row_says_the_same(&ir.table);
	assert_int_equal(ir_seal(&ir, &again, &n_again, &e), 0);
	assert_int_equal(n_again, n);
	assert_memory_equal(again, p, n);
	free(again);
	arena_free(a);
}

/* A generation in the form of another release is refused, and the message says so: it is not
 * damaged. */
static void other_forms_are_refused(void **state)
{
	struct arena *a = arena_new(COMPILE_BUDGET);
	uint8_t p[8192];
	size_t n = first_form(p, sizeof(p));
	struct err e;
	struct ir ir;

	(void)state;
	for (unsigned version = 0; version < 256; version = version == 0 ? 2 : version + 1) {
		p[43] = (uint8_t)version;
		sha256(p + 40, n - 40, p + 8);
		assert_int_equal(ir_unseal(bytes_of(p, n), a, &ir, &e), -ENOTSUP);
		assert_int_equal(ir.n_cells, 0);
		assert_non_null(strstr(e.text, "this version of Sekisho reads 1 to 1"));
	}
	arena_free(a);
}

/* The policy with which a box begins: no zone, no permit, no row. */
static void nothing_at_all(void **state)
{
	struct ir nothing = { .site_name = "",
			      .site_label = "",
			      .site_contact = "",
			      .records_purpose = "",
			      .records_responsible = "" },
		  ir;
	struct arena *a = arena_new(COMPILE_BUDGET);
	struct err e = { 0 };
	uint8_t *p;
	size_t n;

	(void)state;
	assert_int_equal(ir_seal(&nothing, &p, &n, &e), 0);
	assert_int_equal(ir_unseal(bytes_of(p, n), a, &ir, &e), 0);
	assert_int_equal(ir.n_permits + ir.table.n_permits + ir.n_zones, 0);
	free(p);
	arena_free(a);
}

/* Contents that no compiler of ours makes: words that would mean more to another program, and
 * server settings of a box that is no server. */
static void a_server_of_the_ups_holds(void **state)
{
	static const struct {
		uint8_t use, l4proto;
		const char *name, *user, *ca;
		bool power_off, holds;
		const char *from, *to;
	} all[] = {
		{ PEER_UPS, 6, "hall", "sekisho", "", true, true, "", "" },
		{ PEER_UPS, 6, "hall", "sekisho", "", false, true, "", "" },
		{ PEER_UPS, 17, "hall", "sekisho", "", true, false, "", "" },
		{ PEER_UPS, 6, "", "sekisho", "", true, false, "", "" },
		{ PEER_UPS, 6, "hall", "", "", true, false, "", "" },
		{ PEER_UPS, 6, "hall", "a b", "", true, false, "", "" },
		{ PEER_UPS, 6, "ha\nuser x", "sekisho", "", true, false, "", "" },
		{ PEER_UPS, 6, "hall", "sekisho", "/ca", true, false, "", "" },
		{ PEER_TIME, 17, "", "", "", false, true, "", "" },
		{ PEER_TIME, 17, "", "", "", true, false, "", "" },
		{ PEER_TIME, 17, "", "sekisho", "", false, false, "", "" },
		{ PEER_LOG, 6, "log.example", "x", "/ca", false, false, "", "" },
		{ PEER_UPS, 6, "hall", "sekisho", "", true, false, "a@b.example", "" },
		{ PEER_TIME, 17, "", "", "", false, false, "", "a@b.example" },
		{ PEER_MAIL, 6, "mail.example", "sekisho", "/ca", false, true, "a@b.example",
		  "c@d.example e+f@g.example" },
		{ PEER_MAIL, 6, "mail.example", "", "/ca", false, true, "a@b.example", "c@d.example" },
		{ PEER_MAIL, 17, "mail.example", "", "/ca", false, false, "a@b.example", "c@d.example" },
		{ PEER_MAIL, 6, "mail.example", "", "", false, false, "a@b.example", "c@d.example" },
		{ PEER_MAIL, 6, "mail.example", "", "/ca", false, false, "", "c@d.example" },
		{ PEER_MAIL, 6, "mail.example", "", "/ca", false, false, "a@b.example", "" },
		{ PEER_MAIL, 6, "mail.example", "", "/ca", false, false, "a@b.example", "c@d.example  e@f.example" },
		{ PEER_MAIL, 6, "mail.example", "", "/ca", false, false, "a@b.example", "c@d.example\ne@f.example" },
		{ PEER_MAIL, 6, "mail.example", "", "/ca", false, false, "a@b.example>", "c@d.example" },
		{ PEER_MAIL, 6, "mail.example", "a b", "/ca", false, false, "a@b.example", "c@d.example" },
		{ PEER_MAIL, 6, "mail.example", "", "/ca", true, false, "a@b.example", "c@d.example" },
		{ PEER_BACKUP, 6, "nas.example", "kita", "/ca", false, true, "", "/backups/kita" },
		{ PEER_BACKUP, 6, "nas.example", "", "/ca", false, true, "", "/b" },
		{ PEER_BACKUP, 17, "nas.example", "", "/ca", false, false, "", "/b" },
		{ PEER_BACKUP, 6, "", "", "", false, false, "", "/b" },
		{ PEER_BACKUP, 6, "nas.example", "", "/ca", false, false, "", "" },
		{ PEER_BACKUP, 6, "nas.example", "", "/ca", false, false, "", "/b\r\nX: y" },
		{ PEER_BACKUP, 6, "nas.example", "a:b", "/ca", false, false, "", "/b" },
		{ PEER_BACKUP, 6, "nas.example", "", "/ca", false, false, "a@b.example", "/b" },
		{ PEER_BACKUP, 6, "nas.example", "", "/ca", true, false, "", "/b" },
		{ PEER_SNMP, 17, "", "sekisho", "", false, true, "", "" },
		{ PEER_SNMP, 6, "", "sekisho", "", false, false, "", "" },
		{ PEER_SNMP, 17, "", "", "", false, false, "", "" },
		{ PEER_SNMP, 17, "", "a b", "", false, false, "", "" },
		{ PEER_SNMP, 17, "", "a23456789012345678901234567890123", "", false, false, "", "" },
		{ PEER_SNMP, 17, "nms", "sekisho", "", false, false, "", "" },
		{ PEER_SNMP, 17, "", "sekisho", "/ca", false, false, "", "" },
		{ PEER_SNMP, 17, "", "sekisho", "", true, false, "", "" },
		{ PEER_SNMP, 17, "", "sekisho", "", false, false, "a@b.example", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct ir_peer peer = { .use = all[i].use,
					.l4proto = all[i].l4proto,
					.port = 3493,
					.name = all[i].name,
					.user = all[i].user,
					.ca = all[i].ca,
					.from = all[i].from,
					.to = all[i].to,
					.power_off = all[i].power_off };
		struct ir with = { .site_name = "",
				   .site_label = "",
				   .site_contact = "",
				   .records_purpose = "",
				   .records_responsible = "",
				   .peers = &peer,
				   .n_peers = 1 },
			  ir;
		struct arena *a = arena_new(COMPILE_BUDGET);
		struct err e = { 0 };
		uint8_t *p;
		size_t n;

		assert_true(addr_parse("10.99.0.7", &peer.address));
		assert_int_equal(ir_seal(&with, &p, &n, &e), 0);
		assert_int_equal(ir_unseal(bytes_of(p, n), a, &ir, &e), all[i].holds ? 0 : -EBADMSG);
		if (all[i].holds && all[i].use == PEER_UPS)
			assert_int_equal(ir.peers[0].power_off, all[i].power_off);
		free(p);
		arena_free(a);
	}
}

/* Transport and format of records are settings of a log server, and only valid together with
 * one. */
static void the_way_to_a_log_server_holds(void **state)
{
	static const struct {
		uint8_t use, l4proto;
		const char *name, *user, *ca, *from;
		bool holds;
	} all[] = {
		{ PEER_LOG, 6, "log.example", "", "/ca", "", true },
		{ PEER_LOG, 6, "", "", "", "", true },
		{ PEER_UPDATE, 6, "up.example", "", "/ca", "", false },
		{ PEER_TIME, 17, "", "", "", "", false },
		{ PEER_TERMINAL, 6, "", "", "", "", false },
		{ PEER_UPS, 6, "hall", "sekisho", "", "", false },
		{ PEER_MAIL, 6, "mail.example", "", "/ca", "a@b.example", false },
		{ PEER_SNMP, 17, "", "sekisho", "", "", false },
	};

	(void)state;
	for (size_t i = 0; i < 4 * sizeof(all) / sizeof(all[0]); i++) {
		size_t k = i / 4;
		struct ir_peer peer = { .use = all[k].use,
					.l4proto = all[k].l4proto,
					.port = 2514,
					.name = all[k].name,
					.user = all[k].user,
					.ca = all[k].ca,
					.from = all[k].from,
					.to = all[k].from,
					.relp = i % 2 == 1,
					.eve = i % 4 > 1 };
		struct ir with = { .site_name = "",
				   .site_label = "",
				   .site_contact = "",
				   .peers = &peer,
				   .n_peers = 1 },
			  ir;
		struct arena *a = arena_new(COMPILE_BUDGET);
		bool holds = all[k].holds || (!peer.relp && !peer.eve);
		struct err e = { 0 };
		uint8_t *p;
		size_t n;

		assert_true(addr_parse("10.99.0.9", &peer.address));
		assert_int_equal(ir_seal(&with, &p, &n, &e), 0);
		assert_int_equal(ir_unseal(bytes_of(p, n), a, &ir, &e), holds ? 0 : -EBADMSG);
		if (holds) {
			assert_int_equal(ir.peers[0].relp, peer.relp);
			assert_int_equal(ir.peers[0].eve, peer.eve);
		}
		free(p);
		arena_free(a);
	}
}

static void too_long_names_are_an_error(void **state)
{
	char *name = malloc(70001);
	struct model_maker k;
	struct err e;
	uint8_t *p;
	size_t n;

	(void)state;
	memset(name, 'x', 70000);
	name[70000] = '\0';
	maker_init(&k);
	maker_site(&k);
	k.m.site_label = name;
	assert_true(maker_lower(&k));
	assert_int_equal(ir_seal(k.c.ir, &p, &n, &e), -EFBIG);
	free(name);
	maker_free(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_over_another_is_read),	    cmocka_unit_test(sealed_again_is_the_same),
		cmocka_unit_test(every_truncation_is_refused),	    cmocka_unit_test(every_bit_flip_is_refused),
		cmocka_unit_test(rules_hold_behind_a_right_digest), cmocka_unit_test(first_form_is_read),
		cmocka_unit_test(other_forms_are_refused),	    cmocka_unit_test(nothing_at_all),
		cmocka_unit_test(too_long_names_are_an_error),	    cmocka_unit_test(a_rule_of_retention_holds),
		cmocka_unit_test(half_a_statement_is_none),	    cmocka_unit_test(a_server_of_the_ups_holds),
		cmocka_unit_test(the_way_to_a_log_server_holds),    cmocka_unit_test(hours_that_never_meet_are_read),
		cmocka_unit_test(every_setting_is_in_the_digest),   cmocka_unit_test(every_row_is_filled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
