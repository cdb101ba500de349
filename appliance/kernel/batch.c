/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Collects netlink messages in one buffer, with a note about each message, and sends them. The
 * messages get the socket's next sequence numbers, and only the last asks for an acknowledgement.
 * The kernel processes a batch inside sendmsg, so all its answers are in the receive queue when
 * sendmsg returns.
 */
#include "appliance/kernel/batch.h"

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
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter_ipv4.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "appliance/kernel/expr.h"
#include "appliance/kernel/expr_act.h"
#include "appliance/wire/lane.h"

#define MESSAGE_ROOM 16384u /* bytes: the most that one message needs */
#define PROBE_TABLE "sekisho_probe"
#define PROBE_CHAIN "probe"

static const struct base_chain bases[BASE_CHAINS] = {
	[CHAIN_GUARD] = { .hook = NF_INET_PRE_ROUTING, .priority = NF_IP_PRI_RAW },
	[CHAIN_INPUT] = { .hook = NF_INET_LOCAL_IN },
	[CHAIN_FORWARD] = { .hook = NF_INET_FORWARD },
	[CHAIN_POST] = { .hook = NF_INET_FORWARD, .priority = 10 },
	[CHAIN_LAST] = { .hook = NF_INET_FORWARD, .priority = 20 },
	[CHAIN_OUTPUT] = { .hook = NF_INET_LOCAL_OUT },
};

/* Room for one more message and its note; NULL when memory is out. */
static void *message_room(struct batch *b, uint16_t type, uint32_t object, uint32_t line)
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

/* Begins a message about `what`. NULL: there was no memory for it, or for `what`; the batch has
 * then failed. Until the batch is sent, its sequence number is its position in the batch. */
static struct nlmsghdr *message(struct batch *b, const void *what, uint16_t type, uint16_t flags, uint32_t object,
				uint32_t line)
{
	char *p;

	b->failed |= what == NULL;
	p = message_room(b, type, object, line);
	return p == NULL ? NULL : nftnl_nlmsg_build_hdr(p, type, b->family, flags, b->n);
}

size_t batch_aligned(size_t len)
{
	return (len + 3) / 4 * 4; /* NLMSG_ALIGN in a type without warnings */
}

/* The message in the slot is complete. */
static void done(struct batch *b, const struct nlmsghdr *h)
{
	b->len += batch_aligned(h->nlmsg_len);
	b->n++;
}

struct batch *batch_of(uint8_t family, const char *table, uint32_t generation_id)
{
	struct batch *b = calloc(1, sizeof(*b));
	struct nlmsghdr *h;
	void *p;

	if (b == NULL)
		return NULL;
	b->family = family;
	b->table = table;
	p = message_room(b, NFNL_MSG_BATCH_BEGIN, 0, 0);
	if (p == NULL) {
		batch_free(b);
		return NULL;
	}
	h = nftnl_batch_begin(p, 0);
	if (generation_id != 0)
		mnl_attr_put_u32(h, NFNL_BATCH_GENID, htonl(generation_id));
	done(b, h);
	return b;
}

struct batch *batch_new(uint32_t generation_id)
{
	return batch_of(NFPROTO_INET, TABLE_NAME, generation_id);
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

static void put_table(struct batch *b, uint16_t type, uint16_t flags, bool owned)
{
	struct nftnl_table *t = nftnl_table_alloc();
	struct nlmsghdr *h = message(b, t, type, flags, 0, 0);

	if (h != NULL) {
		nftnl_table_set_str(t, NFTNL_TABLE_NAME, b->table);
		nftnl_table_set_u32(t, NFTNL_TABLE_FAMILY, b->family);
		if (type == NFT_MSG_NEWTABLE)
			nftnl_table_set_u32(t, NFTNL_TABLE_FLAGS, owned ? TABLE_OWNED : 0);
		nftnl_table_nlmsg_build_payload(h, t);
		done(b, h);
	}
	if (t != NULL)
		nftnl_table_free(t);
}

void batch_table(struct batch *b, bool owned)
{
	put_table(b, NFT_MSG_NEWTABLE, NLM_F_CREATE, owned);
}

void batch_table_delete(struct batch *b)
{
	put_table(b, NFT_MSG_DELTABLE, 0, false);
}

/* `base` NULL: no base chain. */
static void put_chain(struct batch *b, uint16_t type, uint16_t flags, const char *name, const struct base_chain *base,
		      uint32_t number)
{
	struct nftnl_chain *c = nftnl_chain_alloc();
	struct nlmsghdr *h = message(b, c, type, flags, number, 0);

	if (h != NULL) {
		nftnl_chain_set_str(c, NFTNL_CHAIN_TABLE, b->table);
		nftnl_chain_set_str(c, NFTNL_CHAIN_NAME, name);
		if (base != NULL) {
			nftnl_chain_set_str(c, NFTNL_CHAIN_TYPE, "filter");
			if (base->device != NULL)
				nftnl_chain_set_str(c, NFTNL_CHAIN_DEV, base->device);
			nftnl_chain_set_u32(c, NFTNL_CHAIN_HOOKNUM, base->hook);
			nftnl_chain_set_s32(c, NFTNL_CHAIN_PRIO, base->priority);
			nftnl_chain_set_u32(c, NFTNL_CHAIN_POLICY, base->accepts ? NF_ACCEPT : NF_DROP);
		}
		nftnl_chain_nlmsg_build_payload(h, c);
		done(b, h);
	}
	if (c != NULL)
		nftnl_chain_free(c);
}

void batch_chain(struct batch *b, uint32_t number)
{
	char name[16];

	put_chain(b, NFT_MSG_NEWCHAIN, NLM_F_CREATE, ir_chain_name((enum ir_chain)number, name),
		  number < BASE_CHAINS ? &bases[number] : NULL, number);
}

void batch_base_chain(struct batch *b, const struct base_chain *c)
{
	put_chain(b, NFT_MSG_NEWCHAIN, NLM_F_CREATE, c->name, c, CHAIN_COUNT);
}

void batch_chain_delete(struct batch *b, const char *name)
{
	put_chain(b, NFT_MSG_DELCHAIN, 0, name, NULL, CHAIN_COUNT);
}

void batch_counter(struct batch *b, uint32_t reason)
{
	struct nftnl_obj *o = nftnl_obj_alloc();
	struct nlmsghdr *h = message(b, o, NFT_MSG_NEWOBJ, NLM_F_CREATE, reason, 0);

	if (h != NULL) {
		nftnl_obj_set_str(o, NFTNL_OBJ_TABLE, b->table);
		nftnl_obj_set_str(o, NFTNL_OBJ_NAME, reason_word((enum reason)reason));
		nftnl_obj_set_u32(o, NFTNL_OBJ_TYPE, NFT_OBJECT_COUNTER);
		nftnl_obj_nlmsg_build_payload(h, o);
		done(b, h);
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

static void put_set(struct batch *b, uint16_t type, uint16_t flags, const char *name, unsigned number)
{
	struct nftnl_set *s = nftnl_set_alloc();
	struct nlmsghdr *h = message(b, s, type, flags, number, 0);

	if (h != NULL) {
		nftnl_set_set_str(s, NFTNL_SET_TABLE, b->table);
		nftnl_set_set_str(s, NFTNL_SET_NAME, name);
		nftnl_set_set_u32(s, NFTNL_SET_FAMILY, b->family);
		if (type == NFT_MSG_NEWSET) {
			nftnl_set_set_u32(s, NFTNL_SET_ID, number + 1);
			set_describe(s, set_spec(number), b);
		}
		nftnl_set_nlmsg_build_payload(h, s);
		done(b, h);
	}
	if (s != NULL)
		nftnl_set_free(s);
}

void batch_set(struct batch *b, unsigned number)
{
	put_set(b, NFT_MSG_NEWSET, NLM_F_CREATE, set_name(number), number);
}

void batch_set_delete(struct batch *b, const char *name)
{
	put_set(b, NFT_MSG_DELSET, 0, name, 0);
}

void batch_set_flush(struct batch *b, unsigned number)
{
	struct nftnl_set *s = nftnl_set_alloc();
	struct nlmsghdr *h = message(b, s, NFT_MSG_DELSETELEM, 0, number, 0);

	if (h != NULL) {
		nftnl_set_set_str(s, NFTNL_SET_TABLE, b->table);
		nftnl_set_set_str(s, NFTNL_SET_NAME, set_name(number));
		nftnl_set_elems_nlmsg_build_payload(h, s);
		done(b, h);
	}
	if (s != NULL)
		nftnl_set_free(s);
}

void batch_flush_rules(struct batch *b)
{
	struct nftnl_rule *r = nftnl_rule_alloc();
	struct nlmsghdr *h = message(b, r, NFT_MSG_DELRULE, 0, CHAIN_COUNT, 0);

	if (h != NULL) {
		nftnl_rule_set_str(r, NFTNL_RULE_TABLE, b->table);
		nftnl_rule_nlmsg_build_payload(h, r);
		done(b, h);
	}
	if (r != NULL)
		nftnl_rule_free(r);
}

void batch_rule(struct batch *b, struct nftnl_rule *rule, uint32_t line)
{
	struct nlmsghdr *h = message(b, rule, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, CHAIN_COUNT, line);

	if (h == NULL)
		return;
	nftnl_rule_nlmsg_build_payload(h, rule);
	done(b, h);
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

static void put_element(struct batch *b, uint16_t type, uint16_t flags, unsigned number, const struct image_element *el,
			uint64_t now_ms)
{
	const struct set_spec *spec = set_spec(number);
	struct nftnl_set *s = nftnl_set_alloc();
	struct nftnl_set_elem *x = nftnl_set_elem_alloc();
	struct nlmsghdr *h = message(b, s != NULL ? x : NULL, type, flags, number, el->line);
	char name[16];

	if (h == NULL) {
		if (x != NULL)
			nftnl_set_elem_free(x);
		if (s != NULL)
			nftnl_set_free(s);
		return;
	}
	nftnl_set_set_str(s, NFTNL_SET_TABLE, b->table);
	nftnl_set_set_str(s, NFTNL_SET_NAME, set_name(number));
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
	done(b, h);
	nftnl_set_free(s);
}

void batch_element_add(struct batch *b, unsigned number, const struct image_element *el, uint64_t now_ms)
{
	put_element(b, NFT_MSG_NEWSETELEM, NLM_F_CREATE | NLM_F_EXCL, number, el, now_ms);
}

void batch_element_delete(struct batch *b, unsigned number, const struct image_element *el)
{
	put_element(b, NFT_MSG_DELSETELEM, 0, number, el, 0);
}

/* ---- sending --------------------------------------------------------------------------------- */

static void explain_refusal(const struct batch *b, uint32_t index, int code, struct err *e, uint32_t *ret_line)
{
	const struct note *t = index < b->n ? &b->notes[index] : NULL;
	char name[16];

	*ret_line = t != NULL ? t->line : 0;
	if (t == NULL || index == 0) {
		err_set(e, code, "the kernel refused the transaction");
		return;
	}
	switch (t->type) {
	case NFT_MSG_NEWSETELEM:
		err_set(e, code, "the kernel refused an element of `%s`", set_name(t->object));
		break;
	case NFT_MSG_DELSETELEM:
		err_set(e, code, "the kernel refused to remove an element of `%s`", set_name(t->object));
		break;
	case NFT_MSG_NEWSET:
		err_set(e, code, "the kernel refused set `%s`", set_name(t->object));
		break;
	case NFT_MSG_NEWCHAIN:
		err_set(e, code, "the kernel refused chain `%s`", ir_chain_name((enum ir_chain)t->object, name));
		break;
	case NFT_MSG_NEWRULE:
		err_set(e, code,
			code == -ENOENT ? "the kernel refused a rule (is one of its modules missing?)"
					: "the kernel refused a rule");
		break;
	default:
		err_set(e, code, "the kernel refused message %u of the transaction (type %u)", index, t->type);
	}
}

static int send_batch(const struct batch *b, struct netlink *n, struct err *e)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct iovec iov = { .iov_base = b->p, .iov_len = b->len };
	struct msghdr m = { .msg_name = &kernel, .msg_namelen = sizeof(kernel), .msg_iov = &iov, .msg_iovlen = 1 };
	int size = b->len > (1u << 30) ? 1 << 30 : (int)b->len + 65536;
	ssize_t r;

	if (setsockopt(n->fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
		return err_set(e, -errno, "send buffer of %d bytes", size);
	do
		r = sendmsg(n->fd, &m, 0);
	while (r < 0 && errno == EINTR);
	return r < 0 ? err_set(e, -errno, "send a transaction of %zu bytes", b->len) : 0;
}

/* Reads the kernel's answers. 0 = the message `last` was acknowledged and none refused. */
static int replies(const struct batch *b, struct netlink *n, uint32_t first, uint32_t last, struct err *e,
		   uint32_t *ret_line)
{
	bool acknowledged = false;
	int code = 0;

	for (;;) {
		ssize_t got = recv(n->fd, n->buffer, NETLINK_RECEIVE, MSG_DONTWAIT);
		const struct nlmsghdr *m = (const struct nlmsghdr *)(const void *)n->buffer;
		int left;

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			break;
		if (got < 0)
			return err_set(e, -errno, "answer to a transaction");
		for (left = (int)got; mnl_nlmsg_ok(m, left); m = mnl_nlmsg_next(m, &left)) {
			const struct nlmsgerr *x = mnl_nlmsg_get_payload(m);

			if (m->nlmsg_type != NLMSG_ERROR || m->nlmsg_len < mnl_nlmsg_size(sizeof(*x)) ||
			    m->nlmsg_seq - first > last - first)
				continue;
			if (x->error == 0) {
				acknowledged |= m->nlmsg_seq == last;
			} else if (code == 0) {
				code = x->error;
				explain_refusal(b, m->nlmsg_seq - first, code, e, ret_line);
			}
		}
	}
	if (code == 0 && !acknowledged)
		return err_set(e, -EPROTO, "the kernel did not acknowledge the transaction");
	return code;
}

/* Gives the messages the socket's next sequence numbers, and asks for one acknowledgement. */
static void number_messages(struct batch *b, uint32_t first)
{
	size_t at = 0;

	for (uint32_t i = 0; i < b->n; i++) {
		struct nlmsghdr *h = (struct nlmsghdr *)(void *)(b->p + at);

		h->nlmsg_seq = first + i;
		if (i + 1 == b->n)
			h->nlmsg_flags |= NLM_F_ACK;
		at += batch_aligned(h->nlmsg_len);
	}
}

int batch_commit(struct batch *b, struct netlink *n, struct err *e, uint32_t *ret_line)
{
	uint32_t first = n->seq + 1, last, count = b->n;
	struct nlmsghdr *end;
	void *p;
	int r;

	*ret_line = 0;
	if (count <= 1 && !b->failed)
		return 0;
	p = message_room(b, NFNL_MSG_BATCH_END, 0, 0);
	if (p == NULL)
		return err_set(e, -ENOMEM, "transaction");
	number_messages(b, first);
	end = nftnl_batch_end(p, first + count);
	done(b, end);
	last = first + count - 1;
	n->seq = first + count;
	r = send_batch(b, n, e);
	return r < 0 ? r : replies(b, n, first, last, e, ret_line);
}

int batch_try(struct batch *b, struct netlink *n, struct err *e, uint32_t *ret_line)
{
	uint32_t first = n->seq + 1;
	int r;

	*ret_line = 0;
	if (b->failed)
		return err_set(e, -ENOMEM, "transaction");
	if (b->n <= 1)
		return 0;
	number_messages(b, first);
	n->seq = first + b->n;
	r = send_batch(b, n, e);
	return r < 0 ? r : replies(b, n, first, first + b->n - 1, e, ret_line);
}

/* Whether the kernel accepts what is in the batch. Frees the batch. */
static bool batch_accepted(struct netlink *n, struct batch *b)
{
	uint32_t line;
	struct err e;
	bool ret = b != NULL && batch_try(b, n, &e, &line) == 0;

	batch_free(b);
	return ret;
}

static struct build probe_begin(void)
{
	return rule_begin(NFPROTO_INET, PROBE_TABLE, PROBE_CHAIN);
}

/* Whether the kernel accepts the rule, which is freed. */
static bool kernel_takes(struct netlink *n, struct build *probe)
{
	struct nftnl_rule *r = rule_end(probe);
	struct batch *b = r != NULL ? batch_of(NFPROTO_INET, PROBE_TABLE, 0) : NULL;
	bool ret;

	if (b != NULL) {
		batch_table(b, false);
		put_chain(b, NFT_MSG_NEWCHAIN, NLM_F_CREATE, PROBE_CHAIN, NULL, CHAIN_COUNT);
		batch_rule(b, r, 0);
	}
	ret = batch_accepted(n, b);
	if (r != NULL)
		nftnl_rule_free(r);
	return ret;
}

bool batch_owns(struct netlink *n)
{
	struct batch *b = batch_of(NFPROTO_INET, PROBE_TABLE, 0);

	if (b != NULL)
		batch_table(b, true);
	return batch_accepted(n, b);
}

static int on_match(const struct nlmsghdr *m, void *ctx)
{
	return 0;
}

/* Makes the kernel load the module of the xtables match bpf, by asking for IPv4: for inet
 * tables the kernel does not know the module's name. If this fails, the probe finds that the match
 * is missing. */
static void load_match(struct netlink *n)
{
	_Alignas(8) uint8_t buf[4096];
	struct nlmsghdr *h = netlink_request(n, buf, NFNL_SUBSYS_NFT_COMPAT << 8 | NFNL_MSG_COMPAT_GET, 0, AF_INET);
	struct err e;

	mnl_attr_put_strz(h, NFTA_COMPAT_NAME, "bpf");
	mnl_attr_put_u32(h, NFTA_COMPAT_REV, htonl(1));
	mnl_attr_put_u32(h, NFTA_COMPAT_TYPE, htonl(0)); /* a match */
	netlink_ask(n, h, on_match, NULL, &e);
}

unsigned batch_probe(struct netlink *n)
{
	struct build once = probe_begin(), queue = probe_begin(), strip = probe_begin();
	unsigned lacks = LACKS_NOTHING;

	expr_once(&once, LANE_COMMANDS);
	expr_queue(&queue, LANE_COMMANDS, true, false, LACKS_NOTHING);
	expr_tcp_strip(&strip, 30);
	load_match(n);
	if (!kernel_takes(n, &once))
		lacks |= LACKS_ONCE;
	if (!kernel_takes(n, &queue))
		lacks |= LACKS_QUEUE;
	if (!kernel_takes(n, &strip))
		lacks |= LACKS_STRIP;
	if (!batch_owns(n))
		lacks |= LACKS_OWNER;
	return lacks;
}
