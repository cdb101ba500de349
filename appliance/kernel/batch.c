/* SPDX-License-Identifier: Apache-2.0 */
/* Netlink messages in one buffer, with a note about each of them. */
#include "appliance/kernel/batch_private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h> /* libnftnl's headers need it */

#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/expr.h>
#include <libnftnl/object.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter_ipv4.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGE_ROOM 16384u /* bytes: the most that one message needs */

static const struct {
	uint32_t hook;
	int32_t priority;
} hooks[BASE_CHAINS] = {
	[CHAIN_GUARD] = { NF_INET_PRE_ROUTING, NF_IP_PRI_RAW },
	[CHAIN_INPUT] = { NF_INET_LOCAL_IN, 0 },
	[CHAIN_FORWARD] = { NF_INET_FORWARD, 0 },
	[CHAIN_POST] = { NF_INET_FORWARD, 10 },
	[CHAIN_LAST] = { NF_INET_FORWARD, 20 },
	[CHAIN_OUTPUT] = { NF_INET_LOCAL_OUT, 0 },
};

void *batch_slot(struct batch *b, uint16_t type, uint32_t object, uint32_t line)
{
	if (b->failed)
		return NULL;
	if (b->size - b->len < MESSAGE_ROOM) {
		size_t size = b->size * 2 + 4 * MESSAGE_ROOM;
		uint8_t *p = realloc(b->p, size);

		if (p == NULL) {
			b->failed = true;
			return NULL;
		}
		b->p = p;
		b->size = size;
	}
	if (b->n == b->room) {
		uint32_t room = b->room * 2 + 64;
		struct note *notes = realloc(b->notes, room * sizeof(*notes));

		if (notes == NULL) {
			b->failed = true;
			return NULL;
		}
		b->notes = notes;
		b->room = room;
	}
	b->notes[b->n] = (struct note){ .line = line, .type = type, .object = (uint16_t)object };
	memset(b->p + b->len, 0, MESSAGE_ROOM);
	return b->p + b->len;
}

/* The sequence number is the message's position until the batch is sent. */
static struct nlmsghdr *message(struct batch *b, uint16_t type, uint16_t flags, uint32_t object, uint32_t line)
{
	char *p = batch_slot(b, type, object, line);

	return p == NULL ? NULL : nftnl_nlmsg_build_hdr(p, type, NFPROTO_INET, flags, b->n);
}

size_t batch_aligned(size_t len)
{
	return (len + 3) / 4 * 4; /* NLMSG_ALIGN in a type without warnings */
}

void batch_done(struct batch *b, const struct nlmsghdr *h)
{
	b->len += batch_aligned(h->nlmsg_len);
	b->n++;
}

struct batch *batch_new(uint32_t generation_id)
{
	struct batch *b = calloc(1, sizeof(*b));
	struct nlmsghdr *h;
	void *p;

	if (b == NULL)
		return NULL;
	b->generation_id = generation_id;
	p = batch_slot(b, NFNL_MSG_BATCH_BEGIN, 0, 0);
	if (p == NULL) {
		batch_free(b);
		return NULL;
	}
	h = nftnl_batch_begin(p, 0);
	if (generation_id != 0)
		mnl_attr_put_u32(h, NFNL_BATCH_GENID, htonl(generation_id));
	batch_done(b, h);
	return b;
}

void batch_free(struct batch *b)
{
	if (b == NULL)
		return;
	free(b->p);
	free(b->notes);
	free(b);
}

size_t batch_messages(const struct batch *b)
{
	return b->n - 1;
}

void batch_any_table(struct batch *b, uint16_t type, uint16_t flags, const char *name, bool owned)
{
	struct nftnl_table *t = nftnl_table_alloc();
	struct nlmsghdr *h = message(b, type, flags, 0, 0);

	if (t == NULL || h == NULL) {
		b->failed = true;
	} else {
		nftnl_table_set_str(t, NFTNL_TABLE_NAME, name);
		nftnl_table_set_u32(t, NFTNL_TABLE_FAMILY, NFPROTO_INET);
		if (type == NFT_MSG_NEWTABLE)
			nftnl_table_set_u32(t, NFTNL_TABLE_FLAGS, owned ? TABLE_OWNED : 0);
		nftnl_table_nlmsg_build_payload(h, t);
		batch_done(b, h);
	}
	if (t != NULL)
		nftnl_table_free(t);
}

void batch_table(struct batch *b, bool owned)
{
	batch_any_table(b, NFT_MSG_NEWTABLE, NLM_F_CREATE, TABLE_NAME, owned);
}

void batch_table_delete(struct batch *b)
{
	batch_any_table(b, NFT_MSG_DELTABLE, 0, TABLE_NAME, false);
}

void batch_any_chain(struct batch *b, uint16_t type, uint16_t flags, const char *in, const char *name, uint32_t number)
{
	struct nftnl_chain *c = nftnl_chain_alloc();
	struct nlmsghdr *h = message(b, type, flags, number, 0);

	if (c == NULL || h == NULL) {
		b->failed = true;
	} else {
		nftnl_chain_set_str(c, NFTNL_CHAIN_TABLE, in);
		nftnl_chain_set_str(c, NFTNL_CHAIN_NAME, name);
		if (number < BASE_CHAINS) {
			nftnl_chain_set_str(c, NFTNL_CHAIN_TYPE, "filter");
			nftnl_chain_set_u32(c, NFTNL_CHAIN_HOOKNUM, hooks[number].hook);
			nftnl_chain_set_s32(c, NFTNL_CHAIN_PRIO, hooks[number].priority);
			nftnl_chain_set_u32(c, NFTNL_CHAIN_POLICY, NF_DROP);
		}
		nftnl_chain_nlmsg_build_payload(h, c);
		batch_done(b, h);
	}
	if (c != NULL)
		nftnl_chain_free(c);
}

void batch_chain(struct batch *b, uint32_t number)
{
	char name[16];

	batch_any_chain(b, NFT_MSG_NEWCHAIN, NLM_F_CREATE, TABLE_NAME, ir_chain_name((enum ir_chain)number, name),
			number);
}

void batch_chain_delete(struct batch *b, const char *name)
{
	batch_any_chain(b, NFT_MSG_DELCHAIN, 0, TABLE_NAME, name, CHAIN_COUNT);
}

void batch_counter(struct batch *b, uint32_t reason)
{
	struct nftnl_obj *o = nftnl_obj_alloc();
	struct nlmsghdr *h = message(b, NFT_MSG_NEWOBJ, NLM_F_CREATE, reason, 0);

	if (o == NULL || h == NULL) {
		b->failed = true;
	} else {
		nftnl_obj_set_str(o, NFTNL_OBJ_TABLE, TABLE_NAME);
		nftnl_obj_set_str(o, NFTNL_OBJ_NAME, reason_word((enum reason)reason));
		nftnl_obj_set_u32(o, NFTNL_OBJ_TYPE, NFT_OBJECT_COUNTER);
		nftnl_obj_nlmsg_build_payload(h, o);
		batch_done(b, h);
	}
	if (o != NULL)
		nftnl_obj_free(o);
}

static void set_describe(struct nftnl_set *s, const struct set_spec *spec, struct batch *b)
{
	uint32_t flags = 0;
	uint8_t n = 0;

	flags |= spec->map || spec->verdict_map ? NFT_SET_MAP : 0;
	flags |= spec->timeout ? NFT_SET_TIMEOUT : 0;
	flags |= spec->filled ? NFT_SET_EVAL : 0;
	if (spec->interval) {
		while (n < SET_FIELDS && spec->fields[n] != 0)
			n++;
		flags |= NFT_SET_INTERVAL | NFT_SET_CONCAT;
		nftnl_set_set_data(s, NFTNL_SET_DESC_CONCAT, spec->fields, n);
	}
	nftnl_set_set_u32(s, NFTNL_SET_KEY_TYPE, spec->shown_as);
	nftnl_set_set_u32(s, NFTNL_SET_KEY_LEN, spec->key_len);
	if (spec->map) {
		/* nft's number for a mark, for listings */
		nftnl_set_set_u32(s, NFTNL_SET_DATA_TYPE, 19);
		nftnl_set_set_u32(s, NFTNL_SET_DATA_LEN, sizeof(uint32_t));
	}
	if (spec->verdict_map) {
		nftnl_set_set_u32(s, NFTNL_SET_DATA_TYPE, NFT_DATA_VERDICT);
		nftnl_set_set_u32(s, NFTNL_SET_DATA_LEN, 0);
	}
	if (spec->most > 0)
		nftnl_set_set_u32(s, NFTNL_SET_DESC_SIZE, spec->most);
	if (spec->counter) {
		struct nftnl_expr *x = nftnl_expr_alloc("counter");

		if (x == NULL)
			b->failed = true;
		else
			nftnl_set_add_expr(s, x);
		flags |= NFT_SET_EXPR;
	}
	nftnl_set_set_u32(s, NFTNL_SET_FLAGS, flags);
}

static void set(struct batch *b, uint16_t type, uint16_t flags, const char *name, unsigned number)
{
	struct nftnl_set *s = nftnl_set_alloc();
	struct nlmsghdr *h = message(b, type, flags, number, 0);

	if (s == NULL || h == NULL) {
		b->failed = true;
	} else {
		nftnl_set_set_str(s, NFTNL_SET_TABLE, TABLE_NAME);
		nftnl_set_set_str(s, NFTNL_SET_NAME, name);
		nftnl_set_set_u32(s, NFTNL_SET_FAMILY, NFPROTO_INET);
		if (type == NFT_MSG_NEWSET) {
			nftnl_set_set_u32(s, NFTNL_SET_ID, number + 1);
			set_describe(s, set_spec(number), b);
		}
		nftnl_set_nlmsg_build_payload(h, s);
		batch_done(b, h);
	}
	if (s != NULL)
		nftnl_set_free(s);
}

void batch_set(struct batch *b, unsigned number)
{
	set(b, NFT_MSG_NEWSET, NLM_F_CREATE, set_spec(number)->name, number);
}

void batch_set_delete(struct batch *b, const char *name)
{
	set(b, NFT_MSG_DELSET, 0, name, 0);
}

void batch_set_flush(struct batch *b, unsigned number)
{
	struct nftnl_set *s = nftnl_set_alloc();
	struct nlmsghdr *h = message(b, NFT_MSG_DELSETELEM, 0, number, 0);

	if (s == NULL || h == NULL) {
		b->failed = true;
	} else {
		nftnl_set_set_str(s, NFTNL_SET_TABLE, TABLE_NAME);
		nftnl_set_set_str(s, NFTNL_SET_NAME, set_spec(number)->name);
		nftnl_set_elems_nlmsg_build_payload(h, s);
		batch_done(b, h);
	}
	if (s != NULL)
		nftnl_set_free(s);
}

void batch_flush_rules(struct batch *b)
{
	struct nftnl_rule *r = nftnl_rule_alloc();
	struct nlmsghdr *h = message(b, NFT_MSG_DELRULE, 0, CHAIN_COUNT, 0);

	if (r == NULL || h == NULL) {
		b->failed = true;
	} else {
		nftnl_rule_set_str(r, NFTNL_RULE_TABLE, TABLE_NAME);
		nftnl_rule_nlmsg_build_payload(h, r);
		batch_done(b, h);
	}
	if (r != NULL)
		nftnl_rule_free(r);
}

void batch_rule(struct batch *b, struct nftnl_rule *rule, uint32_t line)
{
	struct nlmsghdr *h = message(b, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, CHAIN_COUNT, line);

	if (h == NULL)
		return;
	nftnl_rule_nlmsg_build_payload(h, rule);
	batch_done(b, h);
}

/* Adds the element's counter, which goes on from its earlier count. */
static void element_count(struct batch *b, struct nftnl_set_elem *x, const struct image_element *el)
{
	struct nftnl_expr *counter = nftnl_expr_alloc("counter");

	if (counter == NULL) {
		b->failed = true;
		return;
	}
	nftnl_expr_set_u64(counter, NFTNL_EXPR_CTR_PACKETS, el->packets);
	nftnl_expr_set_u64(counter, NFTNL_EXPR_CTR_BYTES, el->bytes);
	nftnl_set_elem_add_expr(x, counter);
}

static void element(struct batch *b, uint16_t type, uint16_t flags, unsigned number, const struct image_element *el,
		    uint64_t now_ms)
{
	const struct set_spec *spec = set_spec(number);
	struct nftnl_set *s = nftnl_set_alloc();
	struct nftnl_set_elem *x = nftnl_set_elem_alloc();
	struct nlmsghdr *h = message(b, type, flags, number, el->line);
	char name[16];

	if (s == NULL || x == NULL || h == NULL) {
		b->failed = true;
		if (x != NULL)
			nftnl_set_elem_free(x);
		if (s != NULL)
			nftnl_set_free(s);
		return;
	}
	nftnl_set_set_str(s, NFTNL_SET_TABLE, TABLE_NAME);
	nftnl_set_set_str(s, NFTNL_SET_NAME, spec->name);
	nftnl_set_elem_set(x, NFTNL_SET_ELEM_KEY, el->key, spec->key_len);
	if (spec->interval)
		nftnl_set_elem_set(x, NFTNL_SET_ELEM_KEY_END, el->key_end, spec->key_len);
	if (type == NFT_MSG_NEWSETELEM) {
		if (spec->map)
			nftnl_set_elem_set(x, NFTNL_SET_ELEM_DATA, &el->data, sizeof(el->data));
		if (spec->verdict_map && el->verdict == VERDICT_ACCEPT)
			nftnl_set_elem_set_u32(x, NFTNL_SET_ELEM_VERDICT, NF_ACCEPT);
		if (spec->verdict_map && el->verdict == VERDICT_GOTO) {
			nftnl_set_elem_set_u32(x, NFTNL_SET_ELEM_VERDICT, (uint32_t)NFT_GOTO);
			nftnl_set_elem_set_str(x, NFTNL_SET_ELEM_CHAIN, ir_chain_name((enum ir_chain)el->chain, name));
		}
		if (spec->counter && el->packets > 0)
			element_count(b, x, el);
		if (el->until != 0) {
			uint64_t end_ms = el->until * 1000 + spec->late_ms;

			nftnl_set_elem_set_u64(x, spec->filled ? NFTNL_SET_ELEM_EXPIRATION : NFTNL_SET_ELEM_TIMEOUT,
					       end_ms > now_ms ? end_ms - now_ms : 1);
			if (spec->filled)
				nftnl_set_elem_set_u64(x, NFTNL_SET_ELEM_TIMEOUT, el->data * (uint64_t)1000);
		}
	}
	nftnl_set_elem_add(s, x); /* the set owns it from here on */
	nftnl_set_elems_nlmsg_build_payload(h, s);
	batch_done(b, h);
	nftnl_set_free(s);
}

void batch_element_add(struct batch *b, unsigned number, const struct image_element *el, uint64_t now_ms)
{
	element(b, NFT_MSG_NEWSETELEM, NLM_F_CREATE | NLM_F_EXCL, number, el, now_ms);
}

void batch_element_delete(struct batch *b, unsigned number, const struct image_element *el)
{
	element(b, NFT_MSG_DELSETELEM, 0, number, el, 0);
}
