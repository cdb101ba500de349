/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads sealed generations by walking through objects.def. The digest detects damage, not malice:
 * whoever can write a generation can compute it. So the reader checks every rule that the rest of
 * the program relies on: counts against the remaining bytes, indexes, ranges, order.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "appliance/base/sha256.h"
#include "appliance/wire/plain.h"
#include "policy/ir/needs.h"
#include "policy/ir/objects.h"
#include "policy/ir/seal.h"

struct reader {
	struct bytes b;
	struct arena *a;
	struct ir *ir;
	bool wrong; /* a rule was violated */
	bool no_memory;
};

static bool good(const struct reader *r)
{
	return !r->b.failed && !r->wrong && !r->no_memory;
}

static void hold(struct reader *r, bool rule)
{
	if (!rule)
		r->wrong = true;
}

/* ---- values: each is checked against its row ------------------------------------------------- */

static uint64_t get_number(struct reader *r, size_t size)
{
	uint8_t u8 = 0;
	uint16_t u16 = 0;
	uint32_t u32 = 0;
	uint64_t u64 = 0;

	if (size == 1) {
		bytes_u8(&r->b, &u8);
		return u8;
	}
	if (size == 2) {
		bytes_be16(&r->b, &u16);
		return u16;
	}
	if (size == 4) {
		bytes_be32(&r->b, &u32);
		return u32;
	}
	bytes_be64(&r->b, &u64);
	return u64;
}

static void set_number(void *to, uint64_t v, size_t size)
{
	uint8_t u8 = (uint8_t)v;
	uint16_t u16 = (uint16_t)v;
	uint32_t u32 = (uint32_t)v;

	memcpy(to, size == 1 ? (void *)&u8 : size == 2 ? (void *)&u16 : size == 4 ? (void *)&u32 : (void *)&v, size);
}

static void set_pointer(void *object, size_t at, const void *p)
{
	memcpy((char *)object + at, (const void *)&p, sizeof(p));
}

/* Never NULL while the reader has not failed. */
static char *get_text(struct reader *r, uint32_t max, uint32_t *ret_n)
{
	struct bytes s;
	uint32_t n;
	char *p;

	bytes_be32(&r->b, &n);
	hold(r, n <= max && n <= r->b.left);
	if (!good(r) || !bytes_take(&r->b, n, &s))
		return NULL;
	p = arena_alloc(r->a, (size_t)n + 1);
	if (p == NULL) {
		r->no_memory = true;
		return NULL;
	}
	bytes_copy(&s, p, n);
	p[n] = '\0';
	*ret_n = n;
	return p;
}

static struct addr get_addr(struct reader *r, bool may_be_unset)
{
	struct addr a = { 0 };

	bytes_u8(&r->b, &a.family);
	hold(r, a.family == 4 || a.family == 6 || (may_be_unset && a.family == 0));
	if (good(r))
		bytes_copy(&r->b, a.b, addr_len(a.family));
	return a;
}

static struct addr_range get_range(struct reader *r)
{
	struct addr_range x;

	x.lo = get_addr(r, false);
	x.hi = get_addr(r, false);
	hold(r, x.lo.family == x.hi.family && addr_cmp(&x.lo, &x.hi) <= 0);
	return x;
}

static struct protocol_set get_protocols(struct reader *r)
{
	struct protocol_set s = { 0 };
	uint32_t word;

	for (unsigned i = 0; i < PROTO_SET_WORDS && bytes_be32(&r->b, &word); i++)
		s.bits[i / 2u] |= (uint64_t)word << i % 2u * 32u;
	hold(r, protocols_next(&s, protocols_end() - 1u) == PROTO_NONE);
	return s;
}

static bool number_holds(const struct reader *r, const struct ir_field *f, uint64_t v)
{
	struct lane unused;

	switch (f->kind) {
	case IR_FLAG:
		return v <= 1;
	case IR_CHOICE:
		return v < words_n(f->words);
	case IR_NUMBER:
		return v >= f->lo && v <= f->hi;
	case IR_INDEX:
	case IR_INDEXES:
		return v < ir_count(r->ir, f->list_n_at);
	case IR_INDEX_OR_NONE:
		return v < ir_count(r->ir, f->list_n_at) || v == UINT32_MAX;
	case IR_TRANSPORT:
		return v == 1 || v == 6 || v == 17 || v == 58;
	case IR_LANE:
		return v == LANE_NONE || lane_of((uint32_t)v, &unused);
	case IR_TIME:
	case IR_TEXT:
	case IR_SOURCE_TEXT:
	case IR_ADDRESS_OR_NONE:
	case IR_RANGE:
	case IR_RANGES:
	case IR_HOSTS:
	case IR_PORTS:
	case IR_PROTOCOLS:
	case IR_DIGEST:
	case IR_LIST:
		break;
	}
	return true;
}

static void get_object(struct reader *r, const struct ir_object *object, void *p);

static size_t least_of_element(const struct reader *r, const struct ir_field *f)
{
	if (f->kind == IR_LIST)
		return ir_least(f->of, r->ir->version);
	return f->kind == IR_RANGES ? 10 : f->kind == IR_HOSTS ? 6 : f->size;
}

static void get_element(struct reader *r, const struct ir_field *f, char *list, uint8_t *lengths, uint32_t i)
{
	void *one = list + i * f->size;

	if (f->kind == IR_LIST) {
		get_object(r, f->of, one);
	} else if (f->kind == IR_INDEXES) {
		uint64_t v = get_number(r, f->size);

		hold(r, number_holds(r, f, v));
		set_number(one, v, f->size);
	} else if (f->kind == IR_RANGES) {
		struct addr_range *ranges = one;

		*ranges = get_range(r);
		hold(r, i == 0 || addr_cmp(&ranges[-1].hi, &ranges->lo) < 0);
	} else {
		struct addr *a = one;

		*a = get_addr(r, false);
		bytes_u8(&r->b, &lengths[i]);
		hold(r, lengths[i] <= 8 * addr_len(a->family));
	}
}

/* The count is checked against the remaining bytes before anything is allocated. The object's count
 * grows with what was read, so that nothing points beyond it. */
static void get_list(struct reader *r, const struct ir_field *f, void *p)
{
	uint8_t *lengths = NULL;
	uint32_t n;
	char *list;

	bytes_be32(&r->b, &n);
	hold(r, n <= r->b.left / least_of_element(r, f));
	if (!good(r))
		return;
	list = arena_array(r->a, n, f->size);
	if (f->kind == IR_HOSTS)
		lengths = arena_array(r->a, n, 1);
	if (list == NULL || (f->kind == IR_HOSTS && lengths == NULL)) {
		r->no_memory = true;
		return;
	}
	set_pointer(p, f->at, list);
	if (f->kind == IR_HOSTS)
		set_pointer(p, f->also, lengths);
	for (uint32_t i = 0; i < n && good(r); i++)
		get_element(r, f, list, lengths, i);
	if (good(r))
		set_number((char *)p + f->n_at, n, sizeof(n));
}

static void get_field(struct reader *r, const struct ir_field *f, void *p)
{
	void *at = (char *)p + f->at;
	struct addr_range range;
	struct addr address;
	struct protocol_set protocols;
	uint64_t v, hi;
	uint32_t n = 0;
	char *text;

	switch (f->kind) {
	case IR_TEXT:
		text = get_text(r, IR_STRING_MAX, &n);
		hold(r, text == NULL || strlen(text) == n);
		set_pointer(p, f->at, text);
		return;
	case IR_SOURCE_TEXT:
		set_pointer(p, f->at, get_text(r, IR_TEXT_MAX, &n));
		set_number((char *)p + f->also, n, sizeof(n));
		return;
	case IR_FLAG:
	case IR_CHOICE:
	case IR_NUMBER:
	case IR_TIME:
	case IR_INDEX:
	case IR_INDEX_OR_NONE:
	case IR_TRANSPORT:
	case IR_LANE:
		v = get_number(r, f->size);
		hold(r, number_holds(r, f, v));
		if (good(r))
			set_number(at, v, f->size);
		return;
	case IR_PORTS:
		v = get_number(r, 2);
		hi = get_number(r, 2);
		hold(r, v <= hi);
		set_number(at, v, 2);
		set_number((char *)p + f->also, hi, 2);
		return;
	case IR_ADDRESS_OR_NONE:
		address = get_addr(r, true);
		memcpy(at, &address, sizeof(address));
		return;
	case IR_RANGE:
		range = get_range(r);
		memcpy(at, &range, sizeof(range));
		return;
	case IR_PROTOCOLS:
		protocols = get_protocols(r);
		memcpy(at, &protocols, sizeof(protocols));
		return;
	case IR_DIGEST:
		bytes_copy(&r->b, at, f->size);
		return;
	case IR_INDEXES:
	case IR_RANGES:
	case IR_HOSTS:
	case IR_LIST:
		get_list(r, f, p);
		return;
	}
}

/* Rows that this version lacked stay 0, as the arena gives them; a text becomes "". */
static void get_object(struct reader *r, const struct ir_object *object, void *p)
{
	for (size_t i = 0; i < object->n && good(r); i++) {
		const struct ir_field *f = &object->fields[i];

		if (f->since <= r->ir->version)
			get_field(r, f, p);
		else if (f->kind == IR_TEXT || f->kind == IR_SOURCE_TEXT)
			set_pointer(p, f->at, "");
	}
}

/* ---- rules between objects ------------------------------------------------------------------- */

/* Strictly ascending in the order of cells.c. */
static bool in_order(const struct ir *ir, const struct ir_cell *a, const struct ir_cell *b)
{
	int c;

	if (a->layer != b->layer)
		return a->layer < b->layer;
	if (a->iif != b->iif)
		return a->iif < b->iif;
	if (a->oif != b->oif)
		return a->oif < b->oif;
	if (a->src.lo.family != b->src.lo.family)
		return a->src.lo.family < b->src.lo.family;
	if (a->l4proto != b->l4proto)
		return a->l4proto < b->l4proto;
	c = addr_cmp(&a->src.lo, &b->src.lo);
	if (c == 0)
		c = addr_cmp(&a->dst.lo, &b->dst.lo);
	if (c != 0)
		return c < 0;
	if (a->hi < b->lo)
		return true;
	/* A cell with hours may overlap another cell of its layer, because the two never hold at
	 * the same time. */
	if (ir->permits[a->permit].until == IR_SHUT || ir->permits[b->permit].until == IR_SHUT)
		return a->lo <= b->lo;
	/* Otherwise only an exact cell may overlap a range. */
	if (a->lo > b->lo || ir_cell_exact(a) == ir_cell_exact(b))
		return false;
	return a->lo < b->lo || ir_cell_exact(a);
}

static bool cells_hold(const struct ir *ir)
{
	for (uint32_t i = 0; i < ir->n_cells; i++) {
		const struct ir_cell *c = &ir->cells[i];
		bool icmp = c->l4proto == 1 || c->l4proto == 58;

		if (c->src.lo.family != c->dst.lo.family || (icmp && (c->l4proto == 58) != (c->src.lo.family == 6)))
			return false;
		/* A cell has an end if and only if its permit has one. Otherwise entries of the set
		 * `live` would outlast those of the map, or the other way round. */
		if ((ir->permits[c->permit].until != 0) != (c->layer > 0))
			return false;
		if (i > 0 && !in_order(ir, &ir->cells[i - 1], c))
			return false;
	}
	return true;
}

/* A VLAN has a card, and its device name consists of both. */
static bool interfaces_hold(const struct ir *ir)
{
	for (uint32_t n = 0; n < ir->n_interfaces; n++) {
		const struct ir_interface *i = &ir->interfaces[n];
		char name[32];

		snprintf(name, sizeof(name), "%.16s.%u", i->card, i->vlan);
		if ((i->vlan != 0) != (i->card[0] != '\0') || (i->vlan != 0 && strcmp(name, i->device) != 0))
			return false;
	}
	return true;
}

static bool none(const char *s)
{
	return s[0] == '\0';
}

static bool word_or_none(const char *s)
{
	return none(s) || plain_word(s);
}

static bool server_or_none(const char *s)
{
	return none(s) || plain_server_name(s);
}

static bool path_or_none(const char *s)
{
	return none(s) || plain_path(s);
}

static bool peers_hold(const struct ir *ir)
{
	/* The forms of a peer's texts. l4proto: 0 = TCP or UDP. */
	static const struct {
		uint8_t l4proto;
		bool (*name)(const char *), (*ca)(const char *), (*user)(const char *), (*from)(const char *),
			(*to)(const char *);
	} forms[] = {
		[PEER_TIME] = { 0, none, none, none, none, none },
		[PEER_LOG] = { 0, server_or_none, path_or_none, none, none, none },
		[PEER_TERMINAL] = { 0, none, none, none, none, none },
		[PEER_UPDATE] = { 0, plain_server_name, plain_path, none, none, none },
		[PEER_UPS] = { 6, plain_word, none, plain_word, none, none },
		[PEER_MAIL] = { 6, plain_server_name, plain_path, word_or_none, plain_mailbox, plain_mailboxes },
		[PEER_SNMP] = { 17, none, none, plain_security_name, none, none },
		[PEER_BACKUP] = { 6, plain_server_name, plain_path, word_or_none, none, plain_path },
	};

	for (uint32_t n = 0; n < ir->n_peers; n++) {
		const struct ir_peer *p = &ir->peers[n];
		uint8_t l4proto = forms[p->use].l4proto;

		if (p->address.family == 0 ||
		    (l4proto != 0 ? p->l4proto != l4proto : p->l4proto != 6 && p->l4proto != 17))
			return false;
		if ((p->use != PEER_LOG && (p->relp || p->eve)) || (p->use != PEER_UPS && p->power_off))
			return false;
		if (!forms[p->use].name(p->name) || !forms[p->use].ca(p->ca) || !forms[p->use].user(p->user) ||
		    !forms[p->use].from(p->from) || !forms[p->use].to(p->to))
			return false;
		/* a log server is named together with its authority */
		if (p->use == PEER_LOG && none(p->name) != none(p->ca))
			return false;
	}
	return true;
}

/* Conduits with hours need a time zone. */
static bool hours_hold(const struct ir *ir)
{
	struct time_zone z;

	return ir->time_zone[0] == '\0' ? ir->n_windows == 0 : time_zone_parse(ir->time_zone, &z);
}

/* Repeats a check of the compiler, because deleted records cannot be restored. */
static bool retention_holds(const struct ir *ir)
{
	if (ir->keep_days == 0)
		return ir->delete_after_days == 0;
	return ir->keep_days >= RETENTION_LEAST && ir->keep_days < ir->delete_after_days;
}

/* A generation states both the purpose of records and who is responsible, or neither. */
static bool records_hold(const struct ir *ir)
{
	return (ir->records_purpose[0] != '\0') == (ir->records_responsible[0] != '\0');
}

static bool needs_hold(const struct ir *ir)
{
	return ir->n_needs_conduits <= IR_NEEDS && ir->n_needs_assets <= IR_NEEDS - ir->n_needs_conduits;
}

static void get_table(struct reader *r)
{
	const struct command_table *t = &r->ir->table;
	struct bytes image;
	uint32_t n;
	size_t size;
	void *memory;

	bytes_be32(&r->b, &n);
	if (!good(r) || !bytes_take(&r->b, n, &image))
		return;
	size = COMMANDS_MEMORY(n);
	memory = arena_alloc(r->a, size);
	if (memory == NULL) {
		r->no_memory = true;
		return;
	}
	hold(r, commands_decode(image, memory, size, &r->ir->table) && t->n_permits == r->ir->n_permits);
	for (uint32_t i = 0; i < t->n_permits && good(r); i++)
		hold(r, t->permits[i].permit == i + 1 && t->permits[i].lane == r->ir->permits[i].lane &&
				t->permits[i].observe == r->ir->permits[i].observe &&
				t->permits[i].midstream == r->ir->permits[i].midstream);
	for (uint32_t i = 0; i < t->n_grants && good(r); i++)
		hold(r, t->grants[i].conduit < r->ir->n_conduits);
	for (uint32_t i = 0; i < r->ir->n_services && good(r); i++)
		hold(r, protocol_known(r->ir->services[i].protocol) && r->ir->services[i].first_row <= t->n_rows &&
				r->ir->services[i].n_rows <= t->n_rows - r->ir->services[i].first_row);
}

bool ir_is_sealed(struct bytes b)
{
	return bytes_starts(&b, IR_MAGIC, IR_MAGIC_SIZE);
}

int ir_unseal(struct bytes b, struct arena *a, struct ir *ret, struct err *e)
{
	struct reader r = { .b = b, .a = a, .ir = ret };
	uint8_t want[32], have[32];

	memset(ret, 0, sizeof(*ret));
	if (!ir_is_sealed(b) || !bytes_skip(&r.b, IR_MAGIC_SIZE) || !bytes_copy(&r.b, want, sizeof(want)))
		return err_set(e, -EBADMSG, "generation: not a sealed generation");
	sha256(r.b.p, r.b.left, have);
	if (memcmp(want, have, sizeof(want)) != 0)
		return err_set(e, -EBADMSG, "generation: digest does not match");
	if (!bytes_be32(&r.b, &ret->version))
		return err_set(e, -EBADMSG, "generation: not a sealed generation");
	if (ret->version < IR_VERSION_FIRST || ret->version > IR_VERSION)
		return err_set(e, -ENOTSUP, "generation: sealed in form %u, this version of Sekisho reads %u to %u",
			       ret->version, IR_VERSION_FIRST, IR_VERSION);
	get_object(&r, ir_generation, ret);
	if (good(&r)) {
		hold(&r, cells_hold(ret));
		hold(&r, interfaces_hold(ret));
		hold(&r, peers_hold(ret));
		hold(&r, hours_hold(ret));
		hold(&r, retention_holds(ret));
		hold(&r, records_hold(ret));
		hold(&r, needs_hold(ret));
		get_table(&r);
	}
	hold(&r, bytes_done(&r.b));
	if (good(&r)) {
		memcpy(ret->digest, have, sizeof(ret->digest));
		return 0;
	}
	memset(ret, 0, sizeof(*ret));
	if (r.no_memory)
		return err_set(e, -ENOMEM, "generation");
	return err_set(e, -EBADMSG, "generation: a count, index or order does not hold");
}
