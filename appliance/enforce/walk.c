/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/enforce/witness.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#define DEPTH 16u

struct walker {
	const struct ruleset *r;
	struct walk_packet *p;
	uint8_t registers[REGISTERS];
	/* of the packet: where rules keep a permit between two lookups */
	uint32_t priority;
	uint8_t network[40], transport[20]; /* packet headers as bytes */
	size_t n_network, n_transport;
	unsigned depth;
	struct walk_result ret;
};

enum step { STEP_ON, STEP_BREAK, STEP_RETURN, STEP_END };

static void put16(uint8_t *p, uint16_t host)
{
	p[0] = (uint8_t)(host >> 8);
	p[1] = (uint8_t)host;
}

static void headers(struct walker *w)
{
	const struct walk_packet *p = w->p;
	bool icmp = p->l4proto == 1 || p->l4proto == 58;

	if (p->src.family == 4) {
		w->n_network = 20;
		w->network[0] = p->options ? 0x46 : 0x45;
		w->network[8] = p->hop_limit;
		w->network[9] = p->l4proto;
		memcpy(w->network + 12, p->src.b, 4);
		memcpy(w->network + 16, p->dst.b, 4);
	} else {
		w->n_network = 40;
		w->network[0] = 0x60;
		w->network[6] = p->options ? 0 : p->l4proto;
		w->network[7] = p->hop_limit;
		memcpy(w->network + 8, p->src.b, 16);
		memcpy(w->network + 24, p->dst.b, 16);
	}
	w->n_transport = icmp || p->l4proto == 17 ? 8 : 20;
	put16(w->transport, icmp ? p->dport : p->sport);
	if (!icmp)
		put16(w->transport + 2, p->dport);
	if (p->l4proto == 6) {
		uint16_t words = p->words > 0 ? p->words : 5, behind = (uint16_t)(4 * words + p->payload);

		put16(w->network + (p->src.family == 4 ? 2 : 4), (uint16_t)(p->src.family == 4 ? 20 + behind : behind));
		w->transport[12] = (uint8_t)(words << 4);
		w->transport[13] = p->tcp_flags;
	}
}

/* False when the data do not fit into the registers. */
static bool register_store(struct walker *w, uint16_t at, const void *data, size_t n)
{
	size_t padded = (n + 3) & ~(size_t)3;

	if (at > REGISTERS || padded > REGISTERS - at)
		return false;
	memset(w->registers + at, 0, padded);
	memcpy(w->registers + at, data, n);
	return true;
}

static bool store32(struct walker *w, uint16_t at, uint32_t host)
{
	return register_store(w, at, &host, sizeof(host));
}

static bool store8(struct walker *w, uint16_t at, uint8_t v)
{
	return register_store(w, at, &v, sizeof(v));
}

static bool held(uint16_t at, size_t n)
{
	return at <= REGISTERS && n <= REGISTERS - at;
}

static enum step unknown(struct walker *w)
{
	w->ret.end = WALK_UNKNOWN;
	return STEP_END;
}

static enum step stored(struct walker *w, bool fits)
{
	return fits ? STEP_ON : unknown(w);
}

static enum step meta(struct walker *w, const struct op *o)
{
	switch (o->key) {
	case NFT_META_IIF:
		return stored(w, store32(w, o->to, w->p->iif));
	case NFT_META_OIF:
		return stored(w, store32(w, o->to, w->p->oif));
	case NFT_META_MARK:
		return stored(w, store32(w, o->to, w->p->mark));
	case NFT_META_PRIORITY:
		return stored(w, store32(w, o->to, w->priority));
	case NFT_META_NFPROTO:
		return stored(w, store8(w, o->to, w->p->src.family == 4 ? NFPROTO_IPV4 : NFPROTO_IPV6));
	case NFT_META_L4PROTO:
		return stored(w, store8(w, o->to, w->p->l4proto));
	default:
		return unknown(w);
	}
}

static enum step ct(struct walker *w, const struct op *o)
{
	static const uint32_t states[] = {
		[WALK_NEW] = 8, [WALK_ESTABLISHED] = 2, [WALK_RELATED] = 4, [WALK_INVALID] = 1
	};
	const struct walk_packet *p = w->p;
	uint16_t port = htons(p->first_port);

	if (o->key == NFT_CT_STATE)
		return stored(w, store32(w, o->to, states[p->state]));
	/* An invalid packet belongs to no session, so it has no mark or id. */
	if (p->state == WALK_INVALID)
		return STEP_BREAK;
	switch (o->key) {
	case NFT_CT_DIRECTION:
		return stored(w, store8(w, o->to, p->reply));
	case NFT_CT_ID:
		return stored(w, store32(w, o->to, 1));
	case NFT_CT_MARK:
		return stored(w, store32(w, o->to, p->ct_mark));
	case NFT_CT_SRC_IP:
	case NFT_CT_SRC_IP6:
		if (!o->original || p->first_src.family != (o->key == NFT_CT_SRC_IP ? 4 : 6))
			return STEP_BREAK;
		return stored(w, register_store(w, o->to, p->first_src.b, addr_len(p->first_src.family)));
	case NFT_CT_DST_IP:
	case NFT_CT_DST_IP6:
		if (!o->original || p->first_dst.family != (o->key == NFT_CT_DST_IP ? 4 : 6))
			return STEP_BREAK;
		return stored(w, register_store(w, o->to, p->first_dst.b, addr_len(p->first_dst.family)));
	case NFT_CT_PROTO_DST:
		return o->original ? stored(w, register_store(w, o->to, &port, sizeof(port))) : unknown(w);
	default:
		return unknown(w);
	}
}

static enum step write_meta(struct walker *w, const struct op *o)
{
	if (!held(o->from, 4) || (o->key != NFT_META_MARK && o->key != NFT_META_PRIORITY))
		return unknown(w);
	memcpy(o->key == NFT_META_MARK ? &w->p->mark : &w->priority, w->registers + o->from, 4);
	return STEP_ON;
}

static enum step write_ct(struct walker *w, const struct op *o)
{
	if (!held(o->from, 4) || o->key != NFT_CT_MARK)
		return unknown(w);
	if (w->p->state == WALK_INVALID)
		return STEP_BREAK;
	memcpy(&w->p->ct_mark, w->registers + o->from, 4);
	return STEP_ON;
}

static enum step payload(struct walker *w, const struct op *o)
{
	bool network = o->key == NFT_PAYLOAD_NETWORK_HEADER;
	const uint8_t *from = network ? w->network : w->transport;
	size_t n = network ? w->n_network : w->n_transport;

	if (!network && o->key != NFT_PAYLOAD_TRANSPORT_HEADER)
		return unknown(w);
	if (o->offset > n || o->len > n - o->offset)
		return STEP_BREAK;
	return stored(w, register_store(w, o->to, from + o->offset, o->len));
}

static enum step step_compare(struct walker *w, const struct op *o)
{
	int d;
	bool holds;

	if (!held(o->from, o->len))
		return unknown(w);
	d = memcmp(w->registers + o->from, o->data, o->len);
	switch (o->key) {
	case NFT_CMP_EQ:
		holds = d == 0;
		break;
	case NFT_CMP_NEQ:
		holds = d != 0;
		break;
	case NFT_CMP_LT:
		holds = d < 0;
		break;
	case NFT_CMP_LTE:
		holds = d <= 0;
		break;
	case NFT_CMP_GT:
		holds = d > 0;
		break;
	case NFT_CMP_GTE:
		holds = d >= 0;
		break;
	default:
		return unknown(w);
	}
	return holds ? STEP_ON : STEP_BREAK;
}

static enum step bits(struct walker *w, const struct op *o)
{
	uint8_t out[OP_DATA];

	if (!held(o->from, o->len))
		return unknown(w);
	for (uint32_t i = 0; i < o->len; i++)
		out[i] = (uint8_t)((w->registers[o->from + i] & o->mask[i]) ^ o->data[i]);
	return stored(w, register_store(w, o->to, out, o->len));
}

/* ---- sets ------------------------------------------------------------------------------------ */

static bool range_holds(const struct set_read *s, const struct element_read *e, const uint8_t *key)
{
	size_t at = 0;

	for (size_t i = 0; i < SET_READ_FIELDS && s->fields[i] != 0; i++) {
		size_t n = s->fields[i];

		if (memcmp(key + at, e->key + at, n) < 0 || memcmp(key + at, e->key_end + at, n) > 0)
			return false;
		at += (n + 3) & ~(size_t)3;
	}
	return true;
}

static const struct element_read *find_element(const struct set_read *s, const uint8_t *key)
{
	size_t lo = 0, hi = s->n;

	if (s->interval) {
		for (size_t i = 0; i < s->n; i++)
			if (range_holds(s, &s->list[i], key))
				return &s->list[i];
		return NULL;
	}
	while (lo < hi) {
		size_t middle = lo + (hi - lo) / 2;
		int d = memcmp(s->list[middle].key, key, s->key_len);

		if (d == 0)
			return &s->list[middle];
		if (d < 0)
			lo = middle + 1;
		else
			hi = middle;
	}
	return NULL;
}

static enum step run_chain(struct walker *w, const struct chain_read *c);

static enum step verdict(struct walker *w, int v, const char *chain)
{
	enum step s;

	switch (v) {
	case NF_ACCEPT:
		w->ret.end = WALK_ACCEPT;
		return STEP_END;
	case NF_DROP:
		w->ret.end = WALK_DROP;
		return STEP_END;
	case NFT_CONTINUE:
		return STEP_ON;
	case NFT_BREAK:
		return STEP_BREAK;
	case NFT_RETURN:
		return STEP_RETURN;
	case NFT_GOTO:
	case NFT_JUMP:
		s = run_chain(w, ruleset_chain(w->r, chain));
		if (s == STEP_END)
			return s;
		return v == NFT_JUMP ? STEP_ON : STEP_RETURN;
	default:
		return unknown(w);
	}
}

static enum step lookup(struct walker *w, const struct op *o)
{
	const struct set_read *s = ruleset_set(w->r, o->name);
	const struct element_read *e;

	if (s == NULL || !held(o->from, s->key_len))
		return unknown(w);
	/* The rules add elements to dynamic sets for packets, to count sessions. Sessions of the
	 * walk count as within all limits. */
	if (s->dynamic)
		return o->inverted ? STEP_BREAK : STEP_ON;
	e = find_element(s, w->registers + o->from);
	if ((e != NULL) == o->inverted)
		return STEP_BREAK;
	if (e == NULL || !o->result)
		return STEP_ON;
	if (s->verdicts)
		return o->to == VERDICT_REGISTER ? verdict(w, e->verdict, e->chain) : unknown(w);
	return stored(w, store32(w, o->to, e->data));
}

static enum step step_queue(struct walker *w, const struct op *o)
{
	w->ret.end = WALK_QUEUE;
	w->ret.queue = o->queue;
	w->ret.queues = o->queues;
	w->ret.bypass = o->bypass;
	return STEP_END;
}

static enum step walk_step(struct walker *w, const struct op *o)
{
	switch (o->kind) {
	case OP_META:
		return meta(w, o);
	case OP_META_SET:
		return write_meta(w, o);
	case OP_CT:
		return ct(w, o);
	case OP_CT_SET:
		return write_ct(w, o);
	case OP_PAYLOAD:
		return payload(w, o);
	case OP_CMP:
		return step_compare(w, o);
	case OP_BITWISE:
		return bits(w, o);
	case OP_LOOKUP:
		return lookup(w, o);
	case OP_VALUE:
		return stored(w, register_store(w, o->to, o->data, o->len));
	case OP_VERDICT:
		return verdict(w, o->verdict, o->name);
	case OP_FIB:
		/* A test packet answers only one question of fib: is there a route to its source
		 * through its input interface? */
		if (o->key != (NFTA_FIB_F_SADDR | NFTA_FIB_F_IIF | NFTA_FIB_F_PRESENT))
			return unknown(w);
		return stored(w, store8(w, o->to, w->p->routed));
	case OP_QUEUE:
		return step_queue(w, o);
	case OP_PASS:
		return STEP_ON;
	case OP_CROWD:
		return STEP_BREAK;
	case OP_UNKNOWN:
		break;
	}
	return unknown(w);
}

/* Walks through a chain. Returns STEP_END, or STEP_RETURN at the end of the chain. */
static enum step run_chain(struct walker *w, const struct chain_read *c)
{
	if (c == NULL || w->depth == DEPTH)
		return unknown(w);
	w->depth++;
	for (size_t i = 0; i < c->n; i++) {
		enum step s = STEP_ON;

		memset(w->registers, 0, sizeof(w->registers));
		for (size_t k = 0; k < c->rules[i].n && s == STEP_ON; k++)
			s = walk_step(w, &c->rules[i].ops[k]);
		if (s == STEP_END && w->ret.chain == NULL)
			w->ret.chain = c->name;
		if (s == STEP_END || s == STEP_RETURN) {
			w->depth--;
			return s;
		}
	}
	w->depth--;
	return STEP_RETURN;
}

static const struct chain_read *next_base(const struct ruleset *r, uint32_t hook, int64_t after)
{
	const struct chain_read *best = NULL;

	for (size_t i = 0; i < r->n_chains; i++) {
		const struct chain_read *c = &r->chains[i];

		if (c->base && c->hook == hook && c->priority > after && (best == NULL || c->priority < best->priority))
			best = c;
	}
	return best;
}

struct walk_result walk_hook(const struct ruleset *r, uint32_t hook, int32_t after, struct walk_packet *p)
{
	struct walker w = { .r = r, .p = p };
	int64_t at = after == INT32_MIN ? INT64_MIN : after;
	const struct chain_read *c;

	headers(&w);
	while ((c = next_base(r, hook, at)) != NULL) {
		at = c->priority;
		w.ret = (struct walk_result){ .priority = c->priority };
		if (run_chain(&w, c) != STEP_END) {
			w.ret.end = c->policy == NF_DROP ? WALK_DROP : WALK_ACCEPT;
			w.ret.chain = c->name;
		}
		if (w.ret.end != WALK_ACCEPT)
			return w.ret;
	}
	w.ret.end = WALK_ACCEPT;
	return w.ret;
}
